#!/bin/sh
# Checks a davd with the WebDAV client of this system, and prints a report to send in:
#   verify.sh https://nas:8443/home/ann/ ann
# It asks for the password, unless DAVD_PASSWORD has it. On macOS it mounts the address with mount_webdav, on Linux, as root,
# with davfs2. It works in a new folder there, and removes that at the end. With a directory in
# place of an address, it checks that directory, which must be mounted already.
set -u
export LC_ALL=C
target=${1-} user=${2-}
if [ -z "$target" ]; then
	echo "usage: verify.sh URL|DIRECTORY [USER]" >&2
	exit 2
fi

scratch=$(mktemp -d)
mountpoint='' failed=0 passed=0 skipped=0
system=$(uname -s)

finish() {
	cd / || true
	if [ -n "$mountpoint" ]; then
		umount "$mountpoint" 2>/dev/null || { sleep 5; umount "$mountpoint"; }
	fi
	rm -rf "$scratch"
}
trap finish EXIT
trap 'exit 130' INT TERM

report() { printf '%s\n' "$*"; }

# check NAME COMMAND...: the command must succeed.
check() {
	name=$1
	shift
	began=$(date +%s)
	if output=$("$@" 2>&1); then
		passed=$((passed + 1)) verdict=passed
	else
		failed=$((failed + 1)) verdict=FAILED
	fi
	report "$(printf '%-7s %3d s  %s' "$verdict" $(($(date +%s) - began)) "$name")"
	[ "$verdict" = passed ] || printf '%s\n' "$output" | sed 's/^/        /' | head -5
}

skip() {
	skipped=$((skipped + 1))
	report "$(printf '%-7s        %s' skipped "$1")"
}

describe_system() {
	report "# davd verification report"
	report "date    $(date -u +%Y-%m-%dT%H:%M:%SZ)"
	if [ "$system" = Darwin ]; then
		report "system  macOS $(sw_vers -productVersion) ($(sw_vers -buildVersion)), $(uname -m)"
	else
		report "system  $(uname -sr), $(uname -m)"
	fi
	case $target in
	http*)
		# The address is private. Only its form matters.
		report "address $(printf '%s' "$target" | sed -E 's,^(https?)://[^/:]*,\1://HOST,; s,[^/]+/?$,...,')"
		server=$(curl -ksS -o /dev/null -D - -X OPTIONS "$target" 2>/dev/null | tr -d '\r' | grep -iE '^(HTTP|Server:|DAV:|WWW-Authenticate:|Via:)' | tr '\n' ';')
		report "server  $server"
		;;
	*) report "address a directory that was mounted already" ;;
	esac
	report ""
}

ask_password() {
	password=${DAVD_PASSWORD-}
	[ -n "$user" ] && [ -z "$password" ] || return 0
	printf 'Password of %s: ' "$user" >&2
	stty -echo
	read -r password
	stty echo
	echo >&2
}

mount_target() {
	mkdir "$scratch/mount"
	if [ "$system" = Darwin ]; then
		if [ -n "$user" ]; then
			echo "Now mount_webdav asks for the name and the password:" >&2
			mount_webdav -i "$target" "$scratch/mount" || return 1
		else
			mount_webdav "$target" "$scratch/mount" || return 1
		fi
	else
		# davfs2 reads the name, the password and the answer about the certificate.
		# DAVFS_CONF has further lines for its configuration.
		printf 'use_locks 1\nask_auth 1\n%s\n' "${DAVFS_CONF-}" >"$scratch/davfs2.conf"
		if [ -n "$user" ]; then
			printf '%s "%s" "%s"\n' "$target" "$user" "$password" >"$scratch/secrets"
			chmod 600 "$scratch/secrets"
			printf 'secrets %s/secrets\n' "$scratch" >>"$scratch/davfs2.conf"
		else
			printf 'ask_auth 0\n' >>"$scratch/davfs2.conf"
		fi
		yes y | mount -t davfs -o "conf=$scratch/davfs2.conf" "$target" "$scratch/mount" >&2 || return 1
	fi
	mountpoint=$scratch/mount
}

# same FILE FILE: both have the same content.
same() { cmp "$1" "$2"; }

# lists DIRECTORY NUMBER: that many names are in the directory.
lists() {
	number=$(($(find "$1" -mindepth 1 -maxdepth 1 ! -name '._*' | wc -l)))
	[ "$number" -eq "$2" ] || { echo "$number members, want $2"; return 1; }
}

# settle waits until a mount has uploaded new files, if it does so later. rclone begins after 5
# seconds; a file that it has not uploaded yet can't be read in a renamed folder, and appears again in
# one that was deleted. SETTLE has the seconds for other mounts that behave so.
settle() {
	[ "$settle" -eq 0 ] || sleep "$settle"
}

find_settle() {
	settle=${SETTLE-0}
	[ -z "${SETTLE-}" ] || return 0
	on=$(df -P "$root" | awk 'NR == 2 { print $NF }')
	! mount | grep -F " on $on " | grep -q rclone || settle=30
}

missing() { [ ! -e "$1" ] || { echo "$1 exists"; return 1; }; }

# same_tree DIRECTORY: it has all members of the source, with the same contents.
same_tree() {
	(cd "$scratch/source" && find . -type f) >"$scratch/files"
	while IFS= read -r name; do
		cmp "$scratch/source/$name" "$1/$name" || return 1
	done <"$scratch/files"
	[ -d "$1/empty" ] || { echo "the empty folder is missing"; return 1; }
}

make_source() {
	mkdir -p "$scratch/source/deep/er/still" "$scratch/source/empty"
	echo hello >"$scratch/source/hello.txt"
	: >"$scratch/source/nothing"
	echo umlaut >"$scratch/source/$(printf 'gr\303\274n und \346\227\245\346\234\254.txt')"
	echo odd >"$scratch/source/100% & #1 + 'x'.txt"
	echo below >"$scratch/source/deep/er/still/file"
	dd if=/dev/urandom of="$scratch/source/large" bs=1048576 count=20 2>/dev/null
	i=0
	mkdir "$scratch/source/many"
	while [ $i -lt 100 ]; do
		echo $i >"$scratch/source/many/$i"
		i=$((i + 1))
	done
}

# write_at FILE OFFSET TEXT: replaces bytes in the middle.
write_at() { printf '%s' "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }

# locked FILE: while it is open for writing, another client can't change it.
locked() {
	exec 9>>"$1"
	sleep 1
	status=$(printf x | curl -ksS -o /dev/null -w '%{http_code}' ${user:+-u "$user:$password"} -T - "${target%/}/$(basename "$work")/locked.txt")
	exec 9>&-
	[ "$status" = 423 ] || { echo "a PUT by another client got $status, want 423"; return 1; }
}

write_file() { echo "$2" >"$1"; }

edit_file() {
	echo changed >"$work/edit.new" && mv "$work/edit.new" "$work/edit.txt" && [ "$(cat "$work/edit.txt")" = changed ]
}

append_file() { echo more >>"$work/edit.txt" && [ "$(cat "$work/edit.txt")" = "changed
more" ]; }

run_checks() {
	work=$root/davd-verify-$$
	check "create a folder" mkdir "$work"
	[ -d "$work" ] || { report "The folder can't be created, so nothing else can be checked."; return; }
	check "copy a tree to the server" cp -R "$scratch/source" "$work/tree"
	check "compare the tree" same_tree "$work/tree"
	if [ "$system" != Linux ] || ls "$work/tree/many" >/dev/null 2>&1; then
		check "list 100 files" lists "$work/tree/many" 100
		check "copy a tree on the server" cp -R "$work/tree" "$work/copy"
	else
		# davfs2 1.6 can't list a directory on newer kernels, whatever the server is.
		skip "list 100 files (davfs2 can't do that on this kernel)"
		check "copy the tree again" cp -R "$scratch/source" "$work/copy"
	fi
	check "compare the copy" same_tree "$work/copy"
	settle
	check "rename a file" mv "$work/tree/hello.txt" "$work/tree/renamed.txt"
	check "the old name is gone" missing "$work/tree/hello.txt"
	check "the new name has the content" same "$scratch/source/hello.txt" "$work/tree/renamed.txt"
	check "rename a folder" mv "$work/copy" "$work/moved"
	check "compare the renamed folder" same_tree "$work/moved"
	check "write a file" write_file "$work/edit.txt" first
	check "replace it as editors do" edit_file
	check "append to it" append_file
	cp "$scratch/source/large" "$scratch/patched"
	write_at "$scratch/patched" 1000000 patched
	check "change bytes in the middle of a large file" write_at "$work/tree/large" 1000000 patched
	check "compare the changed file" same "$scratch/patched" "$work/tree/large"
	case $target in
	http*) check "a lock keeps other clients out" locked "$work/locked.txt" ;;
	*) skip "a lock keeps other clients out (it needs the address)" ;;
	esac
	settle
	check "delete a file" rm "$work/edit.txt"
	check "the file is gone" missing "$work/edit.txt"
	if [ "$system" != Linux ] || ls "$work/moved" >/dev/null 2>&1; then
		check "delete a tree" rm -r "$work/moved"
		check "the tree is gone" missing "$work/moved"
		check "delete the rest" rm -r "$work"
	else
		skip "delete a tree (davfs2 can't list it on this kernel)"
		report "Delete $(basename "$work") by hand."
	fi
}

describe_system
make_source
case $target in
http*)
	ask_password
	began=$(date +%s)
	if ! mount_target; then
		report "FAILED         mount"
		report ""
		report "0 passed, 1 failed, 0 skipped"
		exit 1
	fi
	passed=1
	report "$(printf '%-7s %3d s  %s' passed $(($(date +%s) - began)) mount)"
	root=$mountpoint
	;;
*) root=$target ;;
esac
find_settle
run_checks
report ""
report "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
