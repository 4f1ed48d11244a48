"""The MCP server: episodes over stdio and HTTP, the gateway, and the control plane."""
