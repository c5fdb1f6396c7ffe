#!/usr/bin/env bash
# Prints the path of a Python that has PyTorch, after making one (a virtual environment beside this
# script, some 2 GB with its downloads) where there is none. PYTHON names the interpreter to start from.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
environment=$here/.venv
if ! "$environment/bin/python" -c 'import torch' 2>/dev/null; then
  "${PYTHON:-python3}" -m venv "$environment" >&2
  "$environment/bin/pip" install --quiet torch numpy >&2
fi
echo "$environment/bin/python"
