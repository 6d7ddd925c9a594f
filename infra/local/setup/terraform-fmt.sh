#!/usr/bin/env bash
# Check the format of the Terraform files where terraform is installed.
set -euo pipefail

if ! command -v terraform >/dev/null; then
    echo "terraform is not installed: the format of infra/terraform is not checked"
elif [[ -d infra/terraform ]]; then
    terraform fmt -check -recursive infra/terraform
fi
