"""_native.pyi against the native module, both ways."""

import ast
import builtins
import inspect
from pathlib import Path

import pytest

import ai_optix
from ai_optix import _native

TREE = ast.parse((Path(ai_optix.__file__).parent / "_native.pyi").read_text(encoding="utf-8"))
CLASSES = {node.name: node for node in TREE.body if isinstance(node, ast.ClassDef)}
FUNCTIONS = {node.name: node for node in TREE.body if isinstance(node, ast.FunctionDef)}
ERRORS = {name: node for name, node in CLASSES.items() if node.bases}
TYPES = {name: node for name, node in CLASSES.items() if not node.bases}


def has_decorator(node, name):
    return any(isinstance(d, ast.Name) and d.id == name for d in node.decorator_list)


def parameters(node, drop_self):
    """(name, kind, has a default) of each parameter of the stub."""
    a = node.args
    named = [*a.posonlyargs, *a.args]
    defaults = [False] * (len(named) - len(a.defaults)) + [True] * len(a.defaults)
    kinds = ["POSITIONAL_ONLY"] * len(a.posonlyargs) + ["POSITIONAL_OR_KEYWORD"] * len(a.args)
    found = list(zip([p.arg for p in named], kinds, defaults, strict=True))[1 if drop_self else 0 :]
    return found + [(p.arg, "KEYWORD_ONLY", d is not None) for p, d in zip(a.kwonlyargs, a.kw_defaults, strict=True)]


def native_parameters(function, drop_self):
    found = [(p.name, p.kind.name, p.default is not p.empty) for p in inspect.signature(function).parameters.values()]
    return found[1:] if drop_self else found


def public(names):
    return {name for name in names if not name.startswith("_")}


def test_names_of_the_module():
    assert public(vars(_native)) == set(CLASSES) | set(FUNCTIONS)
    assert isinstance(_native.__version__, str)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name):
    assert native_parameters(getattr(_native, name), False) == parameters(FUNCTIONS[name], False)


@pytest.mark.parametrize("name", TYPES)
def test_members_of_a_type(name):
    stub = {node.name: node for node in TYPES[name].body if isinstance(node, ast.FunctionDef)}
    native = getattr(_native, name)
    own = {key: value for key, value in vars(native).items() if key not in ("__doc__", "__module__", "__new__")}
    assert set(own) == set(stub) - {"__new__"}
    for member, node in stub.items():
        if member == "__new__":
            assert isinstance(native(), native)
        elif has_decorator(node, "property"):
            assert inspect.isgetsetdescriptor(own[member])
        elif has_decorator(node, "staticmethod"):
            assert isinstance(own[member], staticmethod)
            assert native_parameters(getattr(native, member), False) == parameters(node, False)
        else:
            assert native_parameters(getattr(native, member), True) == [(n, k, d) for n, k, d in parameters(node, True)]


@pytest.mark.parametrize("name", TYPES)
def test_a_type_is_final_and_made_as_the_stub_says(name):
    native = getattr(_native, name)
    assert has_decorator(TYPES[name], "final")
    with pytest.raises(TypeError):
        type("Derived", (native,), {})
    if not any(isinstance(node, ast.FunctionDef) and node.name == "__new__" for node in TYPES[name].body):
        with pytest.raises(TypeError, match="cannot create"):
            native()


@pytest.mark.parametrize("name", ERRORS)
def test_bases_of_an_exception(name):
    expected = tuple(getattr(_native, base.id, None) or getattr(builtins, base.id) for base in ERRORS[name].bases)
    assert getattr(_native, name).__bases__ == expected
    assert getattr(_native, name).__module__ == "ai_optix"


def test_every_public_name_is_there():
    for name in ai_optix.__all__:
        assert getattr(ai_optix, name) is not None
    assert set(ai_optix.__all__) <= set(dir(ai_optix))
