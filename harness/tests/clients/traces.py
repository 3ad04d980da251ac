"""Looks for customer keys in a file, in every encoding that one might be logged in.

usage: traces.py search FILE KEY...     names what it finds, ends with 1 if it finds anything
       traces.py plant FILE KEY N       appends the key in encoding N; ends with 3 beyond the last

Keys are given as base64.
"""

import base64
import sys
import urllib.parse


def encodings(key):
    """Name and bytes of each form; a text stands for its UTF-8."""
    base = base64.b64encode(key).decode()
    forms = {
        "the bytes": key,
        "base64": base.rstrip("="),
        "base64 for URLs": base64.urlsafe_b64encode(key).decode().rstrip("="),
        "base64 of base64": base64.b64encode(base.encode()).decode().rstrip("="),
        "base64, percent-encoded": urllib.parse.quote(base, safe=""),
        "hex": key.hex(),
        "hex in upper case": key.hex().upper(),
        "base32": base64.b32encode(key).decode().rstrip("="),
        "numbers": ", ".join(str(byte) for byte in key),
        "numbers without blanks": ",".join(str(byte) for byte in key),
        "numbers in hex": ", ".join(f"0x{byte:02x}" for byte in key),
        "escaped": key.decode("latin-1").encode("unicode_escape").decode(),
        "escaped as Rust does": "".join(
            chr(byte) if 32 <= byte < 127 and chr(byte) not in "\"'\\" else f"\\x{byte:02x}" for byte in key
        ),
        "backwards": key[::-1],
    }
    return [(name, form if isinstance(form, bytes) else form.encode()) for name, form in forms.items()]


action, path = sys.argv[1:3]
if action == "plant":
    forms = encodings(base64.b64decode(sys.argv[3]))
    number = int(sys.argv[4])
    if number >= len(forms):
        sys.exit(3)
    with open(path, "ab") as file:
        file.write(b" " + forms[number][1] + b"\n")
else:
    with open(path, "rb") as file:
        text = file.read()
    found = [name for key in sys.argv[3:] for name, form in encodings(base64.b64decode(key)) if form in text]
    print(f"found: {', '.join(found)}" if found else "nothing found")
    sys.exit(bool(found))
