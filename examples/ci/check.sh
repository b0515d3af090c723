#!/bin/sh
# Any other CI: 0 all is well, 1 findings, 2 settings or git, 3 an error in miglint.
set -eu
base="${1:-main}"
git fetch --quiet origin "+refs/heads/$base:refs/remotes/origin/$base"
miglint check --since "origin/$base"
