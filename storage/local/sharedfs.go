package local

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// Several servers may change a directory if all of them see each rename, link and removal in the
// same order, and at the next look, and if files keep their inode numbers.
var (
	// localTypes are filesystems of a disk, or of memory.
	localTypes = []string{
		"bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "jfs", "nilfs2", "ramfs", "reiserfs", "tmpfs", "xfs", "zfs",
	}
	// clusterTypes are filesystems of several machines that keep no stale names.
	clusterTypes = []string{"ceph", "gfs2", "ocfs2"}
	// unsafeTypes are filesystems that must not be shared, with the reason.
	unsafeTypes = map[string]string{
		"9p":             "it may show old names",
		"cifs":           "it may show old names; serve the disk by NFS or CephFS instead",
		"smb3":           "it may show old names; serve the disk by NFS or CephFS instead",
		"exfat":          "its files can't be identified",
		"vfat":           "its files can't be identified",
		"fuse.glusterfs": "GlusterFS doesn't order the renames of directories; use NFS or CephFS",
		"fuse.ceph-fuse": "its files can't be identified; mount CephFS with the kernel's client (mount -t ceph)",
		"overlay":        "an overlay can't rename the directories of its lower layer; use a directory of a disk or a volume",
		"virtiofs":       "its files can't be identified; mount the directory by NFS instead",
	}
)

// mounted is a line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
type mounted struct {
	id      uint64
	point   string
	kind    string
	options []string // of the mount and of the filesystem
}

// parseMounts returns the mounts of a mountinfo file.
func parseMounts(mountinfo string) (all []mounted) {
	for line := range strings.Lines(mountinfo) {
		mount, filesystem, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		fields, about := strings.Fields(mount), strings.Fields(filesystem)
		if !ok || len(fields) < 6 || len(about) < 2 {
			continue
		}
		id, err := strconv.ParseUint(fields[0], 10, 64)
		if err != nil {
			continue
		}
		m := mounted{id: id, point: unescapeMount(fields[4]), kind: about[0], options: strings.Split(fields[5], ",")}
		if len(about) > 2 {
			m.options = append(m.options, strings.Split(about[2], ",")...)
		}
		all = append(all, m)
	}
	return all
}

// unescapeMount replaces \040 and other octal numbers.
func unescapeMount(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// checkMounts returns an error if one of the mounts that dir is on, or that are below dir, must not
// be changed by several servers. id is that of the mount that dir is on; 0 if it is unknown.
func checkMounts(mountinfo, dir string, id uint64) error {
	all := parseMounts(mountinfo)
	on := -1
	for i, m := range all {
		switch {
		case m.id == id && id != 0:
			on = i
		case id != 0 || !within(dir, m.point):
		case on < 0 || len(m.point) >= len(all[on].point):
			on = i // The last one covers the others.
		}
	}
	if on < 0 {
		return fmt.Errorf("%s: its mount is not in /proc/self/mountinfo, so davd can't tell whether several servers may share it", dir)
	}
	if err := all[on].check(); err != nil {
		return fmt.Errorf("several servers can't share %s: %w", dir, err)
	}
	for _, m := range all {
		if m.point == dir || !within(m.point, dir) {
			continue
		}
		if err := m.check(); err != nil {
			return fmt.Errorf("several servers can't share %s, which is in %s: %w", m.point, dir, err)
		}
	}
	return nil
}

// within reports whether the path name is dir or below it.
func within(name, dir string) bool {
	name, dir = path.Clean(name), path.Clean(dir)
	return name == dir || dir == "/" || strings.HasPrefix(name, dir+"/")
}

// check returns the reason why several servers must not change the filesystem.
func (m *mounted) check() error {
	switch {
	case slices.Contains(localTypes, m.kind), slices.Contains(clusterTypes, m.kind):
		return nil
	case m.kind == "nfs" || m.kind == "nfs4":
		return m.checkNFS()
	}
	reason, known := unsafeTypes[m.kind]
	switch {
	case known:
	case m.kind == "fuse" || m.kind == "fuseblk" || strings.HasPrefix(m.kind, "fuse."):
		reason = "its files can't be identified"
	default:
		reason = "davd doesn't know whether it shows each change at once; use a disk, CephFS or NFS"
	}
	return fmt.Errorf("it is on %s, and %s", m.kind, reason)
}

// checkNFS requires that the client caches neither names nor attributes.
func (m *mounted) checkNFS() error {
	uncached := slices.Contains(m.options, "noac")
	if !uncached {
		uncached = true
		for _, option := range []string{"acregmin=0", "acregmax=0", "acdirmin=0", "acdirmax=0"} {
			uncached = uncached && slices.Contains(m.options, option)
		}
	}
	if uncached && slices.Contains(m.options, "lookupcache=none") {
		return nil
	}
	return fmt.Errorf("it is on NFS, whose client caches names and attributes: mount %s with the options lookupcache=none,actimeo=0", m.point)
}
