"""YAML in which no mapping has a key twice; YAML itself would keep the last one silently."""

from __future__ import annotations

from typing import Any

import yaml


class UniqueKeyLoader(yaml.SafeLoader):
    """Reads YAML as :func:`yaml.safe_load` does, and refuses a key that comes twice."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Read a mapping, before what is merged by ``<<`` joins it."""
        node = super().compose_mapping_node(anchor)
        lines: dict[Any, int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                name, line = self.construct_object(key), key.start_mark.line + 1
                if name in lines:
                    raise ValueError(
                        f"line {line}: key '{name}' was given before, on line {lines[name]}; "
                        "keep one of them"
                    )
                lines[name] = line
        return node
