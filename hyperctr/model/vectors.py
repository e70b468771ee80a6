"""Vectors of float32 inside numba functions: rows are added up in registers, on whatever units the CPU has.

numba has no local arrays, so a loop over the columns of a row would go through memory at each addition. A value of
type ``Vector(w)`` is LLVM's ``<w x float>``, which every target takes apart into registers of its own width. Arrays are
flat, positions count numbers, and widths are constants of the calling function.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model

FLOAT, INT32 = ir.FloatType(), ir.IntType(32)
LINE = 64  # bytes of a cache line


class Vector(types.Type):
    """The type of ``width`` float32 numbers."""

    def __init__(self, width: int) -> None:
        self.width = width
        super().__init__(name=f"Vector({width})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Vector) -> None:
        super().__init__(manager, kind, ir.VectorType(FLOAT, kind.width))


def _pointer(context: Any, builder: Any, kind: Any, array: Any, position: Any, width: int) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [position]), ir.VectorType(FLOAT, width).as_pointer())


@intrinsic(prefer_literal=True)
def zeros(typing: Any, width: Any) -> Any:
    """Return a vector of zeros."""
    vector = Vector(width.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return ir.Constant(ir.VectorType(FLOAT, vector.width), None)

    return vector(width), generate


@intrinsic(prefer_literal=True)
def load(typing: Any, array: Any, position: Any, width: Any) -> Any:
    """Return ``width`` numbers of ``array`` from ``position`` on."""
    vector = Vector(width.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(context, builder, array, arguments[0], arguments[1], vector.width), align=4)

    return vector(array, types.intp, width), generate


@intrinsic
def store(typing: Any, array: Any, position: Any, vector: Any) -> Any:
    """Write a vector to ``array`` from ``position`` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(
            arguments[2], _pointer(context, builder, array, arguments[0], arguments[1], vector.width), align=4
        )
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


@intrinsic
def stream(typing: Any, array: Any, position: Any, vector: Any) -> Any:
    """Write whole cache lines of what is not read again soon, past the cache: they are not fetched first."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _pointer(context, builder, array, arguments[0], arguments[1], vector.width)
        hint = builder.module.add_metadata([ir.Constant(INT32, 1)])
        builder.store(arguments[2], place, align=LINE).set_metadata("nontemporal", hint)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), generate


@intrinsic
def plus(typing: Any, first: Any, second: Any) -> Any:
    """Return the sum of two vectors."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fadd(*arguments)

    return first(first, second), generate


@intrinsic
def times(typing: Any, vector: Any, factor: Any) -> Any:
    """Return a vector times a float32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = arguments[0].type
        undefined, first = ir.Constant(kind, ir.Undefined), ir.Constant(INT32, 0)
        every = ir.Constant(ir.VectorType(INT32, vector.width), None)
        factors = builder.shuffle_vector(builder.insert_element(undefined, arguments[1], first), undefined, every)
        return builder.fmul(arguments[0], factors)

    return vector(vector, types.float32), generate
