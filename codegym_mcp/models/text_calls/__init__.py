"""Tool calls that a model writes as text: forms, grammars, and how a reply is parsed."""
