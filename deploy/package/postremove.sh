#!/bin/sh
# The user stays, so that no other is ever given its number and files.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
