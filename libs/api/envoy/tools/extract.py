"""Reads the serialized FileDescriptors out of the xds-protos wheel and prunes them to the closure of the roots.

usage: extract.py WHEEL ROOTS OUT ALL_OUT
OUT is a FileDescriptorSet in dependency order (google/protobuf/* is left out: the TypeScript runtime ships those).
ALL_OUT has the whole of Envoy's v3 configuration: also the types that only users' EnvoyFilters name.
"""
import ast
import sys
import zipfile


def field(buf, number):
    """Yields the values of one length-delimited field of a serialized message."""
    i = 0
    while i < len(buf):
        tag, i = varint(buf, i)
        wire = tag & 7
        if wire == 2:
            size, i = varint(buf, i)
            if tag >> 3 == number:
                yield buf[i : i + size]
            i += size
        elif wire == 0:
            _, i = varint(buf, i)
        elif wire == 1:
            i += 8
        elif wire == 5:
            i += 4
        else:
            raise ValueError(f"wire type {wire}")


def varint(buf, i):
    value = shift = 0
    while True:
        byte = buf[i]
        i += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, i


def descriptors(wheel):
    """name -> serialized FileDescriptorProto, from the AddSerializedFile(b'…') call of each *_pb2.py."""
    found = {}
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.namelist():
            if not entry.endswith("_pb2.py"):
                continue
            for node in ast.walk(ast.parse(archive.read(entry))):
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "AddSerializedFile":
                    data = node.args[0].value
                    found[next(field(data, 1)).decode()] = data
    return found


# Configuration: what an Any in Envoy's config can hold. Not the services, nor the APIs before v3.
CONFIGURATION = ("envoy/config/", "envoy/extensions/", "envoy/type/", "envoy/data/", "udpa/type/v1/", "xds/type/")


def is_configuration(name):
    return name.startswith(CONFIGURATION) and ("/v3/" in name or name.startswith("udpa/type/v1/"))


def write_set(path, files, names):
    """Writes a FileDescriptorSet."""
    with open(path, "wb") as target:
        for name in names:
            data, size, head = files[name], len(files[name]), bytearray(b"\x0a")
            while size > 127:
                head.append(size & 127 | 128)
                size >>= 7
            head.append(size)
            target.write(bytes(head) + data)


def main(wheel, roots, out, all_out):
    files, order = descriptors(wheel), []

    def visit(name):
        if name in order or name.startswith("google/protobuf/"):
            return
        if name not in files:
            sys.exit(f"{name} is not in the wheel: correct roots.txt or move the lock")
        for dependency in field(files[name], 3):
            visit(dependency.decode())
        order.append(name)

    with open(roots) as lines:
        for root in filter(None, map(str.strip, lines)):
            visit(root)
    generated = len(order)
    for name in filter(is_configuration, sorted(files)):
        visit(name)
    write_set(out, files, order[:generated])
    write_set(all_out, files, order)
    print(f"{generated} and {len(order)} of {len(files)} descriptor files")


main(*sys.argv[1:])
