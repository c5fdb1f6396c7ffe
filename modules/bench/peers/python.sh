#!/usr/bin/env bash
# Prints the path of a Python that has PyTorch, after making one (a virtual environment beside this
# script, some 5 GB with its libraries for NVIDIA's GPUs) where there is none of this version.
#
# PEER_PYTHON  a Python that has a PyTorch of any version, to be taken as it is
# PYTHON       the interpreter to make one from, 3.11 or newer (default: python3)
set -euo pipefail
torch=2.15.0
numpy=2.4.6
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
environment=$here/.venv

if [[ -n ${PEER_PYTHON:-} ]]; then
  "$PEER_PYTHON" -c 'import torch' || { echo "PEER_PYTHON: no PyTorch in $PEER_PYTHON" >&2; exit 2; }
  echo "$PEER_PYTHON"
  exit
fi
if ! "$environment/bin/python" -c "import torch; assert torch.__version__.split('+')[0] == '$torch'" 2>/dev/null; then
  "${PYTHON:-python3}" -m venv "$environment" >&2
  "$environment/bin/pip" install --quiet "torch==$torch" "numpy==$numpy" >&2
fi
echo "$environment/bin/python"
