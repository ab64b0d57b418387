"""Four numbers at a time, for filters that feed back.

What a filter gives depends on what it gave before, so a compiler cannot take several frames at once, and
left to itself it takes one number at a time. But channels and sections are alike: four of them side by
side are one ``Lanes``, which kernels add, subtract and multiply like a number. Every lane is rounded as
a number by itself would be.

numba keeps a compiled kernel until its own file changes: with this file, the version in ``__init__.py``
has to change, or the cache to be emptied.

Source: numba's documentation, "Low-level extension API" and "Implementing intrinsics"; LLVM Language
Reference, "Vector Type".
"""

# mypy: disable-error-code="no-untyped-call"

import operator
from collections.abc import Callable
from typing import Any, Final, Self, cast

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

from tonearm.model.audio import Samples64

LANES: Final = 4

_VECTOR: Final = ir.VectorType(ir.DoubleType(), LANES)
_ALIGNED_BYTES: Final = 8


class Lanes(types.Type):
    """Four float64 in a kernel. Outside of kernels there are none: there, they are four of an array."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")

    def __add__(self, other: Self) -> Self:
        raise NotImplementedError

    def __sub__(self, other: Self) -> Self:
        raise NotImplementedError

    def __mul__(self, other: Self) -> Self:
        raise NotImplementedError

    def __truediv__(self, other: Self) -> Self:
        raise NotImplementedError


_LANES: Final = Lanes()


@register_model(Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


def _elementwise(operation: Any, instruction: str) -> None:
    """Let ``operation`` of two ``Lanes`` be one instruction of the processor."""

    @infer_global(operation)
    class _Template(AbstractTemplate):
        def generic(self, operands: Any, _keywords: Any) -> Any:
            both = len(operands) == 2 and all(isinstance(operand, Lanes) for operand in operands)
            return signature(_LANES, _LANES, _LANES) if both else None

    @lower_builtin(operation, Lanes, Lanes)  # type: ignore[untyped-decorator]
    def _lowered(_context: Any, builder: Any, _signature: Any, operands: Any) -> Any:
        return getattr(builder, instruction)(*operands)


_elementwise(operator.add, "fadd")
_elementwise(operator.sub, "fsub")
_elementwise(operator.mul, "fmul")
_elementwise(operator.truediv, "fdiv")


def _place(context: Any, builder: Any, kind: Any, array: Any, number: Any) -> Any:
    """The address of the four numbers from element ``LANES number`` of an array on."""
    first = builder.mul(number, ir.Constant(number.type, LANES))
    start = builder.gep(context.make_array(kind)(context, builder, array).data, [first])
    return builder.bitcast(start, _VECTOR.as_pointer())


@intrinsic
def _load(_typing: Any, array: Any, _number: Any) -> Any:
    def generate(context: Any, builder: Any, kinds: Any, operands: Any) -> Any:
        return builder.load(_place(context, builder, kinds.args[0], *operands), align=_ALIGNED_BYTES)

    return _LANES(array, types.intp), generate


@intrinsic
def _store(_typing: Any, array: Any, _number: Any, _value: Any) -> Any:
    def generate(context: Any, builder: Any, kinds: Any, operands: Any) -> Any:
        *where, value = operands
        builder.store(value, _place(context, builder, kinds.args[0], *where), align=_ALIGNED_BYTES)
        return context.get_dummy_value()

    return types.void(array, types.intp, _LANES), generate


@intrinsic
def _spread(_typing: Any, _value: Any) -> Any:
    kind = types.UniTuple(types.float64, LANES)

    def generate(context: Any, builder: Any, _kinds: Any, operands: Any) -> Any:
        number = ir.IntType(32)
        numbers = [builder.extract_element(operands[0], number(lane)) for lane in range(LANES)]
        return context.make_tuple(builder, kind, numbers)

    return kind(_LANES), generate


load: Final = cast(Callable[[Samples64, int], Lanes], _load)
"""The four numbers from element ``4 n`` of a contiguous ``array`` on: ``load(array, n)``."""

store: Final = cast(Callable[[Samples64, int, Lanes], None], _store)
"""Put four numbers where ``load`` finds them: ``store(array, n, lanes)``."""

spread: Final = cast(Callable[[Lanes], tuple[float, float, float, float]], _spread)
"""The four numbers, each by itself."""
