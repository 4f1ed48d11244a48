"""Repairs the results of MCP servers that deviate from the schema, so that nothing they say is lost.

The SDK refuses a whole result for one wrong member, also for members that nobody reads. What is harmless is
filled in or left out here; what cannot be shown as it is becomes a text.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from codegym_mcp.json_schema import inline_foreign_references
from codegym_mcp.unicode_text import writable_data

OUTPUT_SCHEMA_META = "codegym-mcp/output-schema"
"""Key under `_meta` of a listed tool that holds its output schema. The SDK would drop each result that does
not fit the schema, and with it what the tool said."""
_SCHEMA_NAMES = ("inputSchema", "input_schema", "parameters")
_OTHER_OUTCOMES = ("inputRequests", "task")
"""Members of results that are no results of a tool, and are left as they are."""
_NO_SAYING = frozenset({"_meta", "isError", "structuredContent", "content", "resultType"})
_SHOWN = ("type", "uri", "name", "description", "mimeType", "data", "text", "blob")
"""Members of blocks and their resources that an agent sees."""

Result = dict[str, Any]
Warn = Callable[[str], None]


def repair_result(method: str, result: Mapping[str, Any], warn: Warn) -> Result:
    """Returns a result that the SDK accepts.

    Args:
        method: the method of the request.
        warn: receives a sentence for each tool that is left out.
    """
    repaired: Result = writable_data(dict(result))
    if not isinstance(repaired.get("_meta", {}), Mapping):
        del repaired["_meta"]
    match method:
        case "tools/list":
            return _repair_listing(repaired, warn)
        case "tools/call" if not any(name in repaired for name in _OTHER_OUTCOMES):
            return _repair_outcome(repaired)
        case "initialize":
            return _repair_introduction(repaired)
    return repaired


def _repair_introduction(result: Result) -> Result:
    server = result.get("serverInfo")
    named = server if isinstance(server, Mapping) else {}
    name, version = (str(named.get(key) or "") for key in ("name", "version"))
    result["serverInfo"] = {"name": name or "mcp", "version": version}
    capabilities = result.get("capabilities")
    named = capabilities if isinstance(capabilities, Mapping) else {}
    # Their details are not used.
    result["capabilities"] = {name: {} for name, value in named.items() if value not in (None, False)}
    if not isinstance(result.get("instructions", ""), str):
        del result["instructions"]
    return result


def _repair_listing(result: Result, warn: Warn) -> Result:
    listed = result.get("tools")
    tools = listed if isinstance(listed, list) else []
    repaired = [_repair_tool(tool, number, warn) for number, tool in enumerate(tools, start=1)]
    result["tools"] = [tool for tool in repaired if tool is not None]
    if not isinstance(result.get("nextCursor"), str):
        result.pop("nextCursor", None)
    return result


def _repair_tool(tool: object, number: int, warn: Warn) -> Result | None:
    """Returns a tool with what is used of it, or None if it cannot be called."""
    if not isinstance(tool, Mapping):
        warn(f"Tool {number} of the server is left out: it is not an object.")
        return None
    name = tool.get("name")
    if not isinstance(name, str) or not name:
        warn(f"Tool {number} of the server is left out: it has no name.")
        return None
    written = (tool[key] for key in _SCHEMA_NAMES if isinstance(tool.get(key), Mapping))
    # Some servers declare the arguments by a reference alone.
    schema = inline_foreign_references(next(written, {}))
    fault = _schema_fault(schema)
    if fault:
        warn(f"The tool {name!r} of the server is left out: its input schema {fault}.")
        return None
    meta = dict(tool["_meta"]) if isinstance(tool.get("_meta"), Mapping) else {}
    if isinstance(tool.get("outputSchema"), Mapping):
        meta[OUTPUT_SCHEMA_META] = inline_foreign_references(tool["outputSchema"])
    description = tool.get("description")
    return {
        "name": name,
        "description": description if isinstance(description, str) else _as_text(description),
        "inputSchema": _repair_schema(schema),
        "_meta": meta,
    }


def _schema_fault(schema: Mapping[str, Any]) -> str:
    """Returns why no arguments can be written for a schema; an empty text if they can."""
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind or "object"]
    if "object" not in kinds and not schema.get("properties"):
        return f"is of the type {kind!r}, not 'object'"
    properties = schema.get("properties")
    if properties is not None and not isinstance(properties, Mapping):
        return "has `properties` that are not an object"
    for name, value in (properties or {}).items():
        if not isinstance(value, Mapping | bool):
            return f"describes {name!r} by {value!r}, which is no schema"
    return ""


def _repair_schema(schema: Mapping[str, Any]) -> Result:
    """Returns a schema of an object with `properties`, which model servers require."""
    properties = {
        name: value if isinstance(value, Mapping) else {} if value else {"not": {}}
        for name, value in (schema.get("properties") or {}).items()
    }
    repaired = {**schema, "type": "object", "properties": properties}
    required = schema.get("required")
    if "required" in schema:
        named = required if isinstance(required, list) else []
        repaired["required"] = [name for name in named if isinstance(name, str)]
    if not isinstance(schema.get("$schema", ""), str):
        del repaired["$schema"]
    return repaired


def _repair_outcome(result: Result) -> Result:
    content = result.get("content")
    if content is None:
        said = {name: value for name, value in result.items() if name not in _NO_SAYING}
        content = [said] if said and result.get("structuredContent") is None else []
    blocks = content if isinstance(content, list) else [content]
    result["content"] = [_repair_block(block) for block in blocks if block is not None]
    if "isError" in result:
        result["isError"] = result["isError"] in (True, 1, "true", "True")
    structured = result.get("structuredContent")
    if structured is None:
        result.pop("structuredContent", None)
    elif not isinstance(structured, Mapping):
        result["structuredContent"] = {"result": structured}
    return result


def _repair_block(block: object) -> Result:
    if not isinstance(block, Mapping):
        return _text(_as_text(block))
    if isinstance(block.get("text"), str) and "resource" not in block:
        return _text(block["text"])
    kind = block.get("type")
    texts = _texts(block)
    if (kind in ("image", "audio") and {"data", "mimeType"} <= texts.keys()) or (
        kind == "resource_link" and {"uri", "name"} <= texts.keys()
    ):
        return texts
    resource = block.get("resource")
    embedded = _texts(resource) if isinstance(resource, Mapping) else {}
    if kind == "resource" and "uri" in embedded and ("text" in embedded or "blob" in embedded):
        return {"type": "resource", "resource": embedded}
    return _text(_as_text(block.get("text") or dict(block)))


def _texts(data: Mapping[str, Any]) -> Result:
    """Returns the members that an agent sees, if they are texts."""
    return {name: data[name] for name in _SHOWN if isinstance(data.get(name), str)}


def _text(text: str) -> Result:
    return {"type": "text", "text": text}


def _as_text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
