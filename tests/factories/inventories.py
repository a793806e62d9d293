"""Inventories of images made in memory."""

from scanner.inventory.model import Inventory
from scanner.inventory.taking import keep, take_inventory
from scanner.layers.limits import Limits
from scanner.layers.reading import read_layer
from scanner.layers.tree import Tree

from tests.factories.images import Layer, Member, layer


def inventory(*layers: Layer) -> Inventory:
    """The inventory of an image of these layers."""
    tree = Tree()
    for one in layers:
        tree.apply(read_layer([one.blob], keep, Limits()))
    return take_inventory(tree)


def inventory_of(*members: Member) -> Inventory:
    """The inventory of an image of one layer with these members."""
    return inventory(layer(*members))


def names(found: Inventory) -> list[tuple[str, str, str]]:
    """Ecosystem, name and version of what was found, in order."""
    return sorted((package.ecosystem, package.name, package.version) for package in found.packages)
