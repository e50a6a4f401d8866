"""`Stateful`: what is saved and restored so that training goes on with the same bits."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from nn.module import differing
from nn.train.arrays import State


class Stateful:
    """Keeps its state in attributes that are numbers, tuples of numbers, or arrays.

    Strings are options, not state; nor are the attributes named in `links`.
    """

    links: tuple[str, ...] = ()

    def state_dict(self) -> State:
        """A copy of the state: for each attribute an array, 0-d for a number.

        Raises TypeError for an attribute that is neither numbers nor an array.
        """
        state = {}
        for name, attribute in self._attributes().items():
            array = np.array(attribute)
            if array.dtype.kind not in "biuf":
                kind = type(attribute).__name__
                raise TypeError(
                    f"{type(self).__name__}.{name} is a {kind}, neither numbers nor an array; "
                    "name it in `links` if it is not state"
                )
            state[name.lstrip("_")] = array
        return state

    def load_state_dict(self, state: Mapping[str, npt.ArrayLike]) -> None:
        """Go back to a state that `state_dict` returned, hyperparameters included.

        Raises ValueError, nothing changed, if the keys or shapes are not those of this object.
        """
        name = f"{type(self).__name__}.load_state_dict"
        current = self.state_dict()
        if set(state) != set(current):
            raise ValueError(
                f"{name}: {differing(current, state)}; is it the state of another kind?"
            )
        loaded: dict[str, object] = {}
        for attribute, value in self._attributes().items():
            key = attribute.lstrip("_")
            array = np.asarray(state[key])
            if array.shape != current[key].shape or array.dtype.kind not in "biuf":
                raise ValueError(
                    f"{name}: {key} is {array.dtype} of shape {array.shape}, "
                    f"must be numbers of shape {current[key].shape}"
                )
            numbers = array.astype(current[key].dtype)
            loaded[attribute] = numbers if isinstance(value, np.ndarray) else numbers.tolist()
            if isinstance(value, tuple):
                loaded[attribute] = tuple(numbers.tolist())
        vars(self).update(loaded)

    def _attributes(self) -> dict[str, object]:
        return {
            name: attribute
            for name, attribute in vars(self).items()
            if name not in self.links and not isinstance(attribute, str)
        }
