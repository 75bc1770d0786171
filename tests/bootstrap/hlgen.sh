#!/usr/bin/env bash
# An hlgen that writes down what it is asked.
printf 'hlgen %s (token %s)\n' "$*" "${HLGEN_GIT_TOKEN:+given}" >> "$FAKE/log"
