#!/usr/bin/env python3
"""Writes the table of element types that each version of each ONNX operator takes.

Usage: tools/operator_types.py CHANGELOG.md > src/AiOptix.Onnx/operator-types.txt
CHANGELOG.md is docs/Changelog.md of the ONNX project; only its default domain is read.
"""
import re
import sys

TYPES = (
    "float double float16 bfloat16 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool string complex64 complex128 "
    "float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz float8e8m0 float4e2m1 int4 uint4 int2 uint2"
).split()
LETTERS = {name: chr(ord("a") + i) for i, name in enumerate(TYPES)}
HEADER = """\
# The element types that each version of each operator of the default ONNX operator set takes; made by tools/operator_types.py.
# NAME SINCE INPUTS > OUTPUTS ; VARIABLE=TYPES...   An input or output is a type variable, with a star when it may repeat; ? is anything else than a tensor.
# Types are letters, in this order:"""
ENTRY = re.compile(r"<dt><tt>(.*?)</tt>(?: \((.*?)\))? : (.*?)</dt>")
TENSOR = re.compile(r"^tensor\((\w+)\)$")


def letters(text):
    names = [TENSOR.match(t.strip()) for t in text.split(",")]
    return "".join(sorted(LETTERS[m.group(1)] for m in names if m))


def section(text, title):
    part = re.search(rf"^#### {title}.*?$(.*?)(?=^####|\Z)", text, re.M | re.S)
    return ENTRY.findall(part.group(1)) if part else []


def parameters(entries, variables):
    result = []
    for _, flags, kind in entries:
        kind = kind.strip()
        if kind not in variables and (found := letters(kind)):
            variables[f"!{found}"] = found
            kind = f"!{found}"
        name = kind if variables.get(kind) else "?"
        result.append(name + ("*" if "variadic" in flags else ""))
        # A heterogeneous list repeats without binding one type to all.
        if "heterogeneous" in flags:
            result[-1] = "?*"
    return " ".join(result)


def rows(text):
    for part in re.split(r'^### <a name="', text, flags=re.M)[1:]:
        name, since = re.match(r"([A-Za-z0-9_]+)-(\d+)\"", part).groups()
        variables = {v: letters(t) for v, _, t in section(part, "Type Constraints")}
        inputs = parameters(section(part, "Inputs"), variables)
        outputs = parameters(section(part, "Outputs"), variables)
        used = set((inputs + " " + outputs).replace("*", "").split())
        sets = " ".join(f"{v}={t}" for v, t in variables.items() if v in used)
        yield name, int(since), f"{name} {since} {inputs} > {outputs} ; {sets}".replace("  ", " ").rstrip()


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    text = text[text.index("# ai.onnx (default)") :]
    text = text[: text.index("\n# ai.onnx.", 5)] if "\n# ai.onnx." in text[5:] else text
    print(HEADER)
    print("#", " ".join({"float": "float32", "double": "float64"}.get(t, t) for t in TYPES))
    for _, _, line in sorted(rows(text)):
        print(line)


main()
