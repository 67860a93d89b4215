"""A store as Zarr reads it: metadata that were checked, and chunks that are just what the journal says."""

import asyncio
import json
from typing import Any

import zarr
from zarr.storage import MemoryStore

from gdfast.storing.contents import Contents


class Verified(MemoryStore):
    """What a store holds, for reading only. A chunk of a block that is not done is not there.

    Reading raises `gdfast.storing.contents.StoreError` where a chunk is not what it was when it was written.
    """

    def __init__(self, contents: Contents) -> None:
        buffer = zarr.core.buffer.default_buffer_prototype().buffer
        each = {
            ".zgroup": {"zarr_format": 2},
            ".zattrs": contents.attributes,
            **{f"{name}/.zarray": text for name, text in contents.zarrays.items()},
            **{
                f"{name}/.zattrs": {"_ARRAY_DIMENSIONS": [*member.dimensions], **member.attributes}
                for name, member in contents.members.items()
            },
        }
        each[".zmetadata"] = {"metadata": dict(each), "zarr_consolidated_format": 1}
        super().__init__(
            {name: buffer.from_bytes(json.dumps(value).encode()) for name, value in each.items()}, read_only=True
        )
        self._contents = contents

    async def get(self, key: str, prototype: Any = None, byte_range: Any = None) -> Any:
        """The bytes of a file, or None."""
        if key in self._store_dict or "/" not in key or key.rpartition("/")[2].startswith("."):
            return await super().get(key, prototype, byte_range)
        data = await asyncio.to_thread(self._contents.chunk, key)
        return None if data is None else prototype.buffer.from_bytes(data)
