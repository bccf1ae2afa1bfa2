"""The part of a sampler that makes rows after a fit."""

from collections.abc import Iterator, Mapping
from typing import Any

from sklearn.exceptions import NotFittedError

from skgan.samplers._factory import SAMPLE, RowFactory
from skgan.samplers._polars import rows_as_pandas
from skgan.samplers._saved import save


class SamplesRows:
    """More rows from what ``fit_resample`` has trained: all from ``factory_``."""

    def sample(self, counts: Mapping[Any, int], random_state: int | None = None) -> Any:
        """Make rows from the trained generator, without the originals.

        Parameters
        ----------
        counts : dict, or int where y is continuous
            Class → number of rows, or the number of rows.
        random_state : int or None, default=None
            Another int gives other rows; None continues from the sampler's own seed. The same call gives the same rows.

        Returns
        -------
        X, y
            In the containers and dtypes of ``fit_resample``'s input.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit_resample``, and for classes that needed no rows there and so have no generator.
        ValueError
            For unknown classes and negative counts.
        """
        counts = self._by_name(counts)
        factory = self._fitted(counts)
        made = factory.make(counts, SAMPLE, random_state)
        return factory.as_given(made.X), factory.rows.container.y.like(made.y)

    def sample_iter(
        self, counts: Any, random_state: int | None = None, *, batch: int = 4096
    ) -> Iterator[tuple[Any, Any]]:
        """The rows that ``sample`` gives, in the same order, in pieces of which only one is in memory at a time.

        Parameters
        ----------
        counts, random_state
            As for ``sample``.
        batch : int, default=4096
            Rows of a piece, at most; a piece has rows of one class.

        Yields
        ------
        X, y
            In the containers and dtypes of ``fit_resample``'s input.

        Raises
        ------
        sklearn.exceptions.NotFittedError, ValueError
            As ``sample``, in the call itself.
        """
        counts = self._by_name(counts)
        return self._fitted(counts).sample_iter(counts, random_state, batch=batch)

    def sample_with_parents(
        self, counts: Mapping[Any, int], random_state: int | None = None, *, offspring_only: bool = False
    ) -> Any:
        """The rows that ``sample`` gives, and the real row that each was made from (of two, the first).

        Parameters
        ----------
        counts, random_state
            As for ``sample``.
        offspring_only : bool, default=False
            The net's rows alone, without the copies and mixtures that ``shares`` puts beside them: these are not the rows that
            ``sample`` gives.

        Returns
        -------
        X, y, parents
            X and parents row by row, in the container and dtype of ``fit_resample``'s X. A plain copy equals its parent.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            As ``sample``.
        ValueError
            As ``sample``, and for rows that were made from noise.
        """
        counts = self._by_name(counts)
        factory = self._fitted(counts)
        if offspring_only:
            factory = factory.net_rows()
        made = factory.make(counts, SAMPLE, random_state, with_parents=True)
        y = factory.rows.container.y.like(made.y)
        return factory.as_given(made.X), y, factory.as_given(made.parent_rows)

    def translate(self, X: Any, to: Any, *, back: bool = False) -> Any:
        """Rows of the donor of a class turned into rows of that class, by ``cyclegan()``.

        Parameters
        ----------
        X : rows as in ``fit_resample``
        to : class, or domain
        back : bool, default=False
            Turn rows of the class ``to`` into rows of its donor instead.

        Returns
        -------
        X
            In the container and dtype of ``fit_resample``'s X.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit_resample``, and where it trained nothing.
        ValueError
            For an unknown class, and for nets that do not translate.
        """
        factory = self._fitted({to: 1})
        return factory.as_given(factory.translate(rows_as_pandas(X), to, back))

    def save(self, path: Any) -> None:
        """Write the fitted sampler to one file, for :func:`skgan.load`, which gives one that makes the same rows.

        The file is safetensors: arrays, and text that says how they hang together. Real rows are in it, encoded, where new ones
        are made from real ones (copies, mixtures, offspring): keep it as you keep the data. It is put together in memory.

        Parameters
        ----------
        path : str or path
            A file that is there is overwritten.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before ``fit_resample``.
        TypeError
            Where a part has no place in the file: a function of yours, a tree in a row filter.
        OSError
            Where the file cannot be written.
        """
        self._fitted({})
        save(self, path)

    @property
    def has_parents_(self) -> bool:
        """Whether each new row is made from one real row, so that ``sample_with_parents`` can show both."""
        return any(generator.net.has_parents for generator in self._fitted({}).generators)

    def _by_name(self, counts: Any) -> Mapping[Any, int]:
        """Rows of each group by its name."""
        return counts

    def _fitted(self, counts: Mapping[Any, int]) -> RowFactory:
        """The row factory, or a sentence where there is none, or where it cannot make this."""
        name = type(self).__name__
        if "factory_" not in vars(self):
            raise NotFittedError(f"This {name} has made no generator yet: call fit_resample(X, y) before sample.")
        factory: RowFactory = vars(self)["factory_"]
        factory.check(counts, name)
        return factory
