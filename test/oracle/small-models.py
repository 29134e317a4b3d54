"""Small checkpoints with random weights, in the forms that real ones come in, and what transformers gives for them.

Run: python test/oracle/small-models.py
Needs torch, transformers, safetensors. Writes test/checkpoint/fixtures/<name>/: config.json, weights, vocab.txt
and expected.json with the libraries' versions. Outputs are computed from the weights as the file holds them
(after rounding to half precision where it is one), in float32 with eager attention.
"""

import json
import os
import random
import shutil

import torch
import transformers
from safetensors.torch import save_file
from transformers import BertConfig, BertForTokenClassification, BertModel, DistilBertConfig
from transformers import DistilBertForTokenClassification, DistilBertModel

target = os.path.join(os.path.dirname(__file__), "..", "checkpoint", "fixtures")
vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
vocabulary += list("abcdefghijklmnopqrstuvwxyz0123456789.,()-")
vocabulary += ["##" + letter for letter in "abcdefghijklmnopqrstuvwxyz0123456789"]
cls, sep = vocabulary.index("[CLS]"), vocabulary.index("[SEP]")
positions = 24


def sequences():
    """[CLS] alone, no token between, one, some, and as many as there are positions."""
    chance = random.Random(7)
    inputs = [[cls]]
    for length in (2, 3, 9, positions):
        inputs.append([cls] + [chance.randrange(5, len(vocabulary)) for _ in range(length - 2)] + [sep])
    return inputs


def randomize(model, seed):
    """Weights large enough that every operator matters, and layer norms that are not the identity."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "LayerNorm" in name or "layer_norm" in name:
                parameter.copy_(torch.randn_like(parameter) * 0.2 + (1.0 if name.endswith("weight") else 0.0))
            else:
                parameter.copy_(torch.randn_like(parameter) * 0.3)
    return model.eval()


def rounded(tensor):
    return [[round(value, 6) for value in row] for row in tensor.tolist()]


def outputs_of(model, ids, head):
    with torch.no_grad():
        result = model(input_ids=torch.tensor([ids]))
    if head == "logits":
        return rounded(result.logits[0])
    states = result.last_hidden_state[0]
    if head == "hidden":
        return rounded(states)
    vector = states.mean(0, keepdim=True) if head == "mean" else states.max(0, keepdim=True).values
    return rounded(torch.nn.functional.normalize(vector, p=2, dim=1))


def write(name, model, head, save, edit=lambda config: config, dtype=torch.float32):
    """save(state, folder) writes the weights; edit changes config.json to an older or another form."""
    folder = os.path.join(target, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    state = {key: value.to(dtype).clone() for key, value in model.state_dict().items()}
    model.load_state_dict({key: value.float() for key, value in state.items()})
    save(state, folder)
    config = edit(json.loads(model.config.to_json_string(use_diff=False)))
    for key in ("_name_or_path", "transformers_version", "dtype", "torch_dtype"):
        config.pop(key, None)
    dump(os.path.join(folder, "config.json"), config, indent=1)
    with open(os.path.join(folder, "vocab.txt"), "w") as file:
        file.write("\n".join(vocabulary) + "\n")
    expected = {
        "made_by": f"transformers {transformers.__version__}, torch {torch.__version__}",
        "head": head,
        "inputs": sequences(),
        "outputs": [outputs_of(model, ids, head) for ids in sequences()],
    }
    dump(os.path.join(folder, "expected.json"), expected)


def dump(path, value, indent=None):
    with open(path, "w") as file:
        json.dump(value, file, indent=indent)
        file.write("\n")


def as_safetensors(state, folder):
    save_file(state, os.path.join(folder, "model.safetensors"))


def as_pickle(state, folder):
    torch.save(state, os.path.join(folder, "pytorch_model.bin"))


def keep(*fields):
    return lambda config: {field: config[field] for field in fields}


bert = dict(vocab_size=len(vocabulary), max_position_embeddings=positions, attn_implementation="eager")


def old_names(state, folder):
    """As converted from TensorFlow: under `bert.`, layer norms with gamma and beta, and a pre-training head."""
    renamed = {}
    for key, value in state.items():
        key = key.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        renamed["bert." + key] = value
    renamed["cls.predictions.bias"] = torch.zeros(len(vocabulary))
    renamed["bert.embeddings.position_ids"] = torch.arange(positions).unsqueeze(0)
    torch.save(renamed, os.path.join(folder, "pytorch_model.bin"), _use_new_zipfile_serialization=False)


write(
    "bert-2019",
    randomize(
        BertModel(BertConfig(**bert, hidden_size=20, num_hidden_layers=1, num_attention_heads=1,
                             intermediate_size=28, hidden_act="relu")), 1),
    "hidden",
    old_names,
    # No model_type, no architectures, no layer_norm_eps.
    keep("vocab_size", "max_position_embeddings", "hidden_size", "num_hidden_layers", "num_attention_heads",
         "intermediate_size", "hidden_act", "type_vocab_size"),
)
write(
    "bert-bf16",
    randomize(
        BertModel(BertConfig(**bert, hidden_size=30, num_hidden_layers=3, num_attention_heads=5,
                             intermediate_size=37, hidden_act="gelu_new", layer_norm_eps=1e-5,
                             type_vocab_size=1), add_pooling_layer=False), 2),
    "hidden",
    as_safetensors,
    dtype=torch.bfloat16,
)
write(
    "bert-mean",
    randomize(
        BertModel(BertConfig(**bert, hidden_size=24, num_hidden_layers=2, num_attention_heads=2,
                             intermediate_size=32, hidden_act="silu")), 3),
    "mean",
    lambda state, folder: as_safetensors({"0.auto_model." + key: value for key, value in state.items()}, folder),
)
write(
    "bert-ner",
    randomize(
        BertForTokenClassification(
            BertConfig(**bert, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
                       hidden_act="gelu", id2label={0: "O", 1: "B-Task", 2: "I-Task"},
                       label2id={"O": 0, "B-Task": 1, "I-Task": 2})), 4),
    "logits",
    as_pickle,
    lambda config: {**config, "architectures": ["BertForTokenClassification"]},
)
distil = dict(vocab_size=len(vocabulary), max_position_embeddings=positions, attn_implementation="eager")
write(
    "distilbert-fp16",
    randomize(DistilBertModel(DistilBertConfig(**distil, dim=24, n_layers=2, n_heads=4, hidden_dim=36)), 5),
    "hidden",
    lambda state, folder: as_safetensors({"distilbert." + key: value for key, value in state.items()}, folder),
    lambda config: {**config, "architectures": ["DistilBertForMaskedLM"]},
    dtype=torch.float16,
)
write(
    "distilbert-ner",
    randomize(
        DistilBertForTokenClassification(
            DistilBertConfig(**distil, dim=16, n_layers=1, n_heads=2, hidden_dim=20, activation="relu",
                             num_labels=5)), 6),
    "logits",
    as_safetensors,
    lambda config: {**config, "architectures": ["DistilBertForTokenClassification"]},
)

# What sentence-transformers keeps beside a model whose vectors are the mean of all tokens, of length 1.
folder = os.path.join(target, "bert-mean")
os.makedirs(os.path.join(folder, "1_Pooling"))
dump(os.path.join(folder, "modules.json"), [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
], indent=1)
dump(os.path.join(folder, "1_Pooling", "config.json"), {
    "word_embedding_dimension": 24,
    "pooling_mode_cls_token": False,
    "pooling_mode_mean_tokens": True,
    "pooling_mode_max_tokens": False,
    "pooling_mode_mean_sqrt_len_tokens": False,
}, indent=1)
dump(os.path.join(folder, "sentence_bert_config.json"), {"max_seq_length": 16, "do_lower_case": False}, indent=1)
