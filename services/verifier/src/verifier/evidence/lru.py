"""A bounded map that lets go of what was longest unused."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Lru(Generic[Key, Value]):
    """Holds values up to a total weight (each at least 1); one that alone weighs more is not held."""

    def __init__(self, capacity: int, weigh: Callable[[Value], int]) -> None:
        self._capacity = capacity
        self._weigh = weigh
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self.weight = 0

    def get(self, key: Key) -> Value | None:
        """The value, which counts as used now."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: Key, value: Value) -> None:
        """Holds the value in place of the one before."""
        self.drop(key)
        self._values[key] = value
        self.weight += self._weigh(value)
        while self.weight > self._capacity:
            _, oldest = self._values.popitem(last=False)
            self.weight -= self._weigh(oldest)

    def drop(self, key: Key) -> None:
        """Lets go of the value, if it is held."""
        value = self._values.pop(key, None)
        if value is not None:
            self.weight -= self._weigh(value)

    def __len__(self) -> int:
        return len(self._values)
