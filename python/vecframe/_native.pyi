"""The native part of vecframe; use the package's own names instead."""

from collections.abc import Callable, Mapping, Sequence
import enum

import numpy
import numpy.typing


def version() -> str: ...

class RequestError(ValueError):
    """
    A wrong request: bad argument, unknown option, missing model. Raised before any picture is read; one line that names argument, value and fix.
    """

class RunError(RuntimeError):
    """
    The run itself failed: the output could not be written, or on_error="raise" met a bad row. No output is left.
    """

class DownloadProgress:
    """A snapshot of a download that goes on."""

    @property
    def model(self) -> str: ...

    @property
    def file(self) -> str:
        """The file that comes just now."""

    @property
    def bytes(self) -> int:
        """Bytes of all files that are here by now."""

    @property
    def total(self) -> int:
        """Bytes of all files."""

    @property
    def received(self) -> int:
        """Bytes that came in this call."""

    @property
    def seconds(self) -> float: ...

class NativeProvider:
    """A provider that this library brings along, or one in C++."""

    @property
    def name(self) -> str: ...

    def __repr__(self) -> str: ...

    def __eq__(self, other: object | None) -> bool: ...

    def __hash__(self) -> int: ...

class Description:
    """A descriptor of an embedder, as it was read."""

    def __init__(self, *, provider: str, model: str, dimension: int, details: dict[str, str], is_async: bool, batch_size: int | None, concurrency: int | None, max_retries: int, num_gpus: float, make: Callable[[Callable[[], bool]], object]) -> None: ...

    def __getstate__(self) -> tuple[object, ...]: ...

    def __setstate__(self, state: tuple[object, ...]) -> None: ...

class NativeSession:
    def __init__(self) -> None: ...

    @staticmethod
    def process() -> NativeSession: ...

    def clear(self) -> None: ...

    def attach(self, provider: object, alias: str | None) -> None: ...

    def detach(self, name: str) -> None: ...

    def has(self, name: str) -> bool: ...

    def get(self, name: str) -> object: ...

    def current(self) -> object: ...

    def resolve(self, name: str | None) -> object: ...

    @property
    def model(self) -> str | None: ...

    def choose(self, name: str | None, options: dict[str, object], model: str | None) -> None: ...

    def choose_instance(self, provider: object, model: str | None) -> None: ...

class NativeSessionScope:
    """A session as the current one of the thread, inside `with`."""

    def __init__(self, session: NativeSession) -> None: ...

    def __enter__(self) -> None: ...

    def __exit__(self, *cause: object) -> None: ...

class Expression:
    """What a column is computed from."""

    def __repr__(self) -> str: ...

    def to_json(self) -> str:
        """
        As JSON, for from_json() in this or another process of the same release.
        """

    @staticmethod
    def from_json(json: str) -> Expression: ...

    def __reduce__(self) -> tuple[object, tuple[str]]: ...

    def alias(self, name: str) -> Expression:
        """The same expression under a name that select() gives to its column."""

    @property
    def name(self) -> str | None:
        """That of alias(), else of the column it refers to, else None."""

    def __eq__(self, other: object | None) -> Expression: ...

    def __ne__(self, other: object | None) -> Expression: ...

    def __lt__(self, other: object | None) -> Expression: ...

    def __le__(self, other: object | None) -> Expression: ...

    def __gt__(self, other: object | None) -> Expression: ...

    def __ge__(self, other: object | None) -> Expression: ...

    def __add__(self, other: object | None) -> Expression: ...

    def __radd__(self, other: object | None) -> Expression: ...

    def __sub__(self, other: object | None) -> Expression: ...

    def __rsub__(self, other: object | None) -> Expression: ...

    def __mul__(self, other: object | None) -> Expression: ...

    def __rmul__(self, other: object | None) -> Expression: ...

    def __truediv__(self, other: object | None) -> Expression: ...

    def __rtruediv__(self, other: object | None) -> Expression: ...

    def __and__(self, other: object | None) -> Expression: ...

    def __rand__(self, other: object | None) -> Expression: ...

    def __or__(self, other: object | None) -> Expression: ...

    def __ror__(self, other: object | None) -> Expression: ...

    def __invert__(self) -> Expression: ...

    def __neg__(self) -> Expression: ...

    def __hash__(self) -> int: ...

    def __bool__(self) -> bool: ...

    def is_null(self) -> Expression:
        """Whether the value is null."""

    def not_null(self) -> Expression:
        """Whether the value is not null."""

    def lower(self) -> Expression:
        """The text in lower case."""

    def upper(self) -> Expression:
        """The text in upper case."""

    def length(self) -> Expression:
        """Code points of the text."""

    def contains(self, other: object | None) -> Expression: ...

    def starts_with(self, other: object | None) -> Expression: ...

    def ends_with(self, other: object | None) -> Expression: ...

    def download(self, max_connections: int = 32, on_error: str = 'raise') -> Expression:
        """
        The bytes of files by path, or of http and https URLs; see vecframe.functions.download.
        """

    def decode_image(self, on_error: str = 'raise', mode: str | None = 'RGB', *, apply_orientation: bool = False, fast_decode: bool = False) -> Expression:
        """Pictures of encoded bytes; see vecframe.functions.decode_image."""

    def convert_image(self, mode: str, *, alpha: str = 'drop') -> Expression:
        """Pictures in another mode; see vecframe.functions.convert_image."""

    def resize(self, w: int, h: int, *, filter: str = 'triangle', fit: str = 'fill') -> Expression:
        """Pictures of another size; see vecframe.functions.resize."""

    def crop(self, bbox: tuple[int, int, int, int] | list[int] | Expression) -> Expression:
        """
        A box (x, y, width, height) of each picture; see vecframe.functions.crop.
        """

    def encode_image(self, image_format: str = 'png', *, quality: int = 75, lossless: bool = False) -> Expression:
        """Encoded bytes; see vecframe.functions.encode_image."""

    def image_to_tensor(self) -> Expression:
        """Pixels as numbers; see vecframe.functions.image_to_tensor."""

    def image_hash(self, method: str = 'phash', *, hash_size: int = 8, binbits: int = 3, segments: int = 3) -> Expression:
        """A perceptual hash; see vecframe.functions.image_hash."""

    def image_attribute(self, name: str) -> Expression:
        """One of "width", "height", "channel", "mode"."""

    def image_width(self) -> Expression:
        """Of each picture, as a number."""

    def image_height(self) -> Expression:
        """Of each picture, as a number."""

    def image_channel(self) -> Expression:
        """Of each picture, as a number."""

    def image_mode(self) -> Expression:
        """Of each picture, as a number."""

    def cosine_distance(self, other: object) -> Expression:
        """As the function of that name."""

    def cosine_similarity(self, other: object) -> Expression:
        """As the function of that name."""

    def dot_product(self, other: object) -> Expression:
        """As the function of that name."""

    def euclidean_distance(self, other: object) -> Expression:
        """As the function of that name."""

    def hamming_distance(self, other: object) -> Expression:
        """As the function of that name."""

    def l2_normalize(self) -> Expression:
        """Each vector divided by its length; a zero vector stays zero."""

    def is_in(self, values: list[object]) -> Expression:
        """Whether the value is one of these."""

def col(name: str) -> Expression: ...

def lit(value: object | None) -> Expression: ...

def call(function: str, arguments: list[object], options: dict[str, object]) -> Expression: ...

class FunctionInfo:
    """A function that call() knows."""

    @property
    def name(self) -> str: ...

    @property
    def arguments(self) -> int: ...

    @property
    def options(self) -> dict[str, object]:
        """With their defaults; None: must be given, an integer."""

def list_functions() -> list[FunctionInfo]: ...

class OnError(enum.Enum):
    RAISE = 0

    LOG = 1

    IGNORE = 2

class EmbedOptions:
    """What embed_image and embed_text have in common."""

    def __init__(self) -> None: ...

    @property
    def model(self) -> str | None: ...

    @model.setter
    def model(self, arg: str | None, /) -> None: ...

    @property
    def dimensions(self) -> int | None: ...

    @dimensions.setter
    def dimensions(self, arg: int | None, /) -> None: ...

    @property
    def normalize(self) -> bool: ...

    @normalize.setter
    def normalize(self, arg: bool, /) -> None: ...

    @property
    def dtype(self) -> str: ...

    @dtype.setter
    def dtype(self, arg: str, /) -> None: ...

    @property
    def batch_size(self) -> int | None: ...

    @batch_size.setter
    def batch_size(self, arg: int | None, /) -> None: ...

    @property
    def concurrency(self) -> int | None: ...

    @concurrency.setter
    def concurrency(self, arg: int | None, /) -> None: ...

    @property
    def max_retries(self) -> int | None: ...

    @max_retries.setter
    def max_retries(self, arg: int | None, /) -> None: ...

    @property
    def num_gpus(self) -> float | None: ...

    @num_gpus.setter
    def num_gpus(self, arg: float | None, /) -> None: ...

    @property
    def on_cluster(self) -> bool: ...

    @on_cluster.setter
    def on_cluster(self, arg: bool, /) -> None: ...

    @property
    def on_error(self) -> OnError: ...

    @on_error.setter
    def on_error(self, arg: OnError, /) -> None: ...

    @property
    def error_column(self) -> str | None: ...

    @error_column.setter
    def error_column(self, arg: str | None, /) -> None: ...

def embed_image(session: NativeSession, image: Expression, options: EmbedOptions, *, provider: NativeProvider, words: dict[str, object], on_download: Callable[[DownloadProgress], object] | None) -> Expression: ...

def embed_text(session: NativeSession, text: Expression, options: EmbedOptions, *, provider: NativeProvider, words: dict[str, object], on_download: Callable[[DownloadProgress], object] | None) -> Expression: ...

def embed_image_with(image: Expression, options: EmbedOptions, description: Description) -> Expression: ...

def embed_text_with(text: Expression, options: EmbedOptions, description: Description) -> Expression: ...

DEFAULT_MEMORY_LIMIT: int = 536870912

class Progress:
    """A snapshot of a run that goes on."""

    def __init__(self, *, rows: int = 0, failed: int = 0, listed: int = 0, listing_done: bool = False, seconds: float = 0.0, read: int = 0, prepared: int = 0, embedded: int = 0, duplicates: int = 0, cache_hits: int = 0, retries: int = 0, bytes_read: int = 0) -> None: ...

    @property
    def rows(self) -> int:
        """Finished rows, failed ones included."""

    @property
    def failed(self) -> int: ...

    @property
    def listed(self) -> int:
        """Inputs found so far."""

    @property
    def listing_done(self) -> bool:
        """If so, `listed` is the total."""

    @property
    def seconds(self) -> float: ...

    @property
    def read(self) -> int:
        """Rows whose file was read."""

    @property
    def prepared(self) -> int:
        """Rows that were decoded and resized."""

    @property
    def embedded(self) -> int:
        """Rows that went through the model."""

    @property
    def duplicates(self) -> int:
        """Rows that got the vector of another row of the same bytes."""

    @property
    def cache_hits(self) -> int:
        """Rows whose vector an earlier run left in the cache."""

    @property
    def retries(self) -> int:
        """Calls of the embedder for parts of a batch that failed."""

    @property
    def bytes_read(self) -> int: ...

class NativeWriteOptions:
    def __init__(self, *, mode: str, resume: bool, retry_failed: bool, prune: bool, detect: str, shard_index: int, shard_count: int, rows_per_part: int, bytes_per_part: int, max_error_rate: float | None, dead_letter: str, cache: str, cache_bytes: int, threads: int, memory_limit: int, stages: Mapping[str, int] = {}, ordered: bool = True) -> None: ...

DEFAULT_ROWS_PER_PART: int = 8192

DEFAULT_BYTES_PER_PART: int = 2147483648

DEFAULT_CACHE_BYTES: int = 4294967296

class NativeReport:
    @property
    def rows(self) -> int: ...

    @property
    def failed(self) -> int: ...

    @property
    def failures(self) -> dict[str, int]: ...

    @property
    def seconds(self) -> float: ...

    @property
    def load_seconds(self) -> float: ...

    @property
    def notices(self) -> list[str]: ...

    @property
    def peak_memory_bytes(self) -> int: ...

    @property
    def json(self) -> str: ...

    @property
    def failed_inputs(self) -> list[tuple[bytes, str, str, bytes]]: ...

class NativeDataFrame:
    def rows(self, *, threads: int, memory_limit: int, stages: dict[str, int] = {}, ordered: bool = True, morsel_rows: int, optimize: bool = True, on_failure: Callable[[str, str], object] | None) -> NativeRows: ...

    def lazy_stream(self, *, threads: int, memory_limit: int, stages: dict[str, int], ordered: bool, on_failure: Callable[[str, str], object] | None) -> object: ...

    def with_column(self, name: str, expression: Expression) -> NativeDataFrame: ...

    def limit(self, count: int) -> NativeDataFrame: ...

    def select(self, columns: Sequence[str]) -> NativeDataFrame: ...

    def select_expressions(self, columns: Sequence[tuple[str, Expression]]) -> NativeDataFrame: ...

    def exclude(self, columns: Sequence[str]) -> NativeDataFrame: ...

    def rename(self, names: Sequence[tuple[str, str]]) -> NativeDataFrame: ...

    def where(self, predicate: Expression) -> NativeDataFrame: ...

    def sort(self, names: Sequence[str], *, descending: Sequence[bool], nulls_first: bool) -> NativeDataFrame: ...

    def sample(self, fraction: float | None, size: int | None, seed: int) -> NativeDataFrame: ...

    def concat(self, other: NativeDataFrame) -> NativeDataFrame: ...

    def drop_nulls(self, columns: Sequence[str]) -> NativeDataFrame: ...

    def count(self) -> int: ...

    def schema(self) -> list[tuple[str, str]]: ...

    def explain(self, *, show_all: bool, json: bool) -> str: ...

    def warnings(self) -> list[str]: ...

    def to_json(self) -> str: ...

    @staticmethod
    def from_json(json: str) -> NativeDataFrame: ...

    def collect(self, *, threads: int, memory_limit: int, stages: dict[str, int], ordered: bool, on_progress: Callable[[Progress], object] | None, on_failure: Callable[[str, str], object] | None) -> NativeDataFrame: ...

    def write_parquet(self, path: str, options: NativeWriteOptions, *, on_progress: Callable[[Progress], object] | None, on_failure: Callable[[str, str], object] | None) -> NativeReport: ...

    def arrow_stream(self, *, threads: int, memory_limit: int, stages: dict[str, int] = {}, ordered: bool = True, on_progress: Callable[[Progress], object] | None, on_failure: Callable[[str, str], object] | None, morsel_rows: int = 0, optimize: bool = True) -> object: ...

    def show(self, count: int, *, on_failure: Callable[[str, str], object] | None) -> str: ...

class NativeRows:
    """Rows of a plan that runs as they are taken."""

    def next(self) -> tuple[object, object] | None:
        """The capsules of the next rows, or None."""

    def close(self) -> None:
        """Ends the run."""

def read_images(inputs: Sequence[str], *, apply_orientation: bool, max_pixels: int, fast_decode: bool) -> NativeDataFrame: ...

def from_glob_path(patterns: Sequence[str]) -> NativeDataFrame: ...

def read_parquet(paths: Sequence[str]) -> NativeDataFrame: ...

def from_arrow(stream: object) -> NativeDataFrame: ...

def read_texts(path: str) -> NativeDataFrame: ...

def image_extensions() -> list[str]: ...

DEFAULT_MAX_PIXELS: int = 178956970

class NativePlannedRun:
    def __init__(self, frame: NativeDataFrame, path: str, options: NativeWriteOptions) -> None: ...

    def next_shard(self) -> str | None: ...

    def add(self, report: str, failed_inputs: Sequence[tuple[bytes, str, str, bytes]]) -> None: ...

    def finish(self, facts: str) -> str: ...

    def close(self) -> None:
        """Lets the directory go; the run is over."""

class NativeShardRunner:
    def __init__(self, frame: NativeDataFrame, path: str, options: NativeWriteOptions, *, on_progress: Callable[[Progress], object] | None, on_failure: Callable[[str, str], object] | None) -> None: ...

    def run(self, shard: str) -> NativeReport: ...

class NativeTableRunner:
    def __init__(self, frame: NativeDataFrame, *, threads: int, memory_limit: int) -> None: ...

    def run(self, table: object) -> object: ...

class MergedRun:
    """What a directory holds after its shares were merged."""

    @property
    def complete(self) -> bool:
        """Whether all shares of the run have ended."""

    @property
    def parts(self) -> int: ...

    @property
    def rows(self) -> int: ...

    @property
    def failed(self) -> int: ...

    @property
    def shares(self) -> int: ...

    @property
    def missing_shares(self) -> int: ...

def merge_run(directory: str) -> MergedRun: ...

def read_report(directory: str) -> str: ...

def report_text(report: str) -> str: ...

class EmbedderUse:
    """A call of embed_image() or embed_text() in a plan; can be pickled."""

    @property
    def provider(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def is_local(self) -> bool:
        """Of a model that this library runs itself."""

    @property
    def is_async(self) -> bool: ...

    @property
    def device(self) -> str: ...

    @property
    def concurrency(self) -> int | None:
        """The call's, else the provider's."""

    @property
    def num_gpus(self) -> float | None: ...

    def __getstate__(self) -> tuple[object, ...]: ...

    def __setstate__(self, state: tuple[object, ...]) -> None: ...

def embedders_of(frame: NativeDataFrame) -> list[EmbedderUse]:
    """Every occurrence of such a call, in order."""

def for_worker(frame: NativeDataFrame, uses: Sequence[EmbedderUse]) -> NativeDataFrame:
    """
    The plan as one of several workers runs it, with the embedders of `uses`.
    """

class ModelInfo:
    """What is known of a model before its weights are read."""

    @property
    def name(self) -> str:
        """As `model=` takes it."""

    @property
    def provider(self) -> str: ...

    @property
    def family(self) -> str: ...

    @property
    def state(self) -> str:
        """
        "built-in", "built-in, not fetched", "directory", "cached", "known" or "not downloaded".
        """

    @property
    def dimension(self) -> int:
        """0: unknown."""

    @property
    def licence(self) -> str:
        """SPDX identifier, if known."""

    @property
    def parameters(self) -> int:
        """0: unknown."""

    @property
    def gflop_per_image(self) -> float:
        """0: unknown."""

    @property
    def image_height(self) -> int:
        """0: unknown; describe_model() knows."""

    @property
    def image_width(self) -> int:
        """0: unknown; describe_model() knows."""

    @property
    def processor(self) -> str:
        """What is done to a picture before, on one line; "" in a list."""

    @property
    def revision(self) -> str:
        """The hub's commit, or ""."""

    @property
    def directory(self) -> str:
        """
        Where the files are; "" if they are not on this machine, and in a list.
        """

    @property
    def has_text_tower(self) -> bool | None:
        """Whether the model embeds texts too; None: not known."""

    def __repr__(self) -> str: ...

def list_models() -> list[ModelInfo]: ...

def describe_model(session: NativeSession, model: str | None, *, provider: NativeProvider, precision: str, device: str) -> ModelInfo: ...

class NativeLoadedModel:
    @property
    def dimension(self) -> int: ...

    def embed_image(self, encoded: bytes) -> numpy.typing.NDArray[numpy.float32]: ...

    def embed_text(self, text: str) -> numpy.typing.NDArray[numpy.float32]: ...

def load_model(session: NativeSession, options: EmbedOptions, *, provider: NativeProvider, words: dict[str, object], threads: int, on_download: Callable[[DownloadProgress], object] | None) -> NativeLoadedModel: ...

class TableSummary:
    """What an output file holds; print it."""

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Pairs of name and type."""

    @property
    def metadata(self) -> dict[str, str]:
        """Keys that begin with "vecframe."."""

    @property
    def rows(self) -> int: ...

    @property
    def failed(self) -> int: ...

    @property
    def failures(self) -> dict[str, int]:
        """Count by "stage/code"."""

    @property
    def dimension(self) -> int:
        """0: no embedding column."""

    @property
    def neighbours(self) -> list[tuple[str, list[tuple[str, float]]]]:
        """For a few rows, their path and the nearest others as (path, cosine)."""

    def to_json(self) -> str: ...

    def __str__(self) -> str: ...

    def __repr__(self) -> str: ...

def inspect(path: str, *, queries: int, neighbours: int) -> TableSummary: ...
