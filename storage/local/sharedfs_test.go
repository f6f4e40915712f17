package local

import (
	"strings"
	"testing"
)

// sharedMounts has lines that Linux 5.15 to 6.12 have written.
const sharedMounts = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
25 22 0:23 / /run rw,nosuid,nodev - tmpfs tmpfs rw,size=803812k,mode=755
40 22 0:40 / /srv/nfs rw,relatime shared:20 - nfs4 server:/files rw,vers=4.2,rsize=1048576,wsize=1048576,namlen=255,hard,proto=tcp,timeo=600,retrans=2,sec=sys,clientaddr=10.0.0.2,local_lock=none,addr=10.0.0.1
41 22 0:41 / /srv/nfs0 rw,relatime shared:21 - nfs4 server:/files rw,vers=4.2,rsize=1048576,wsize=1048576,namlen=255,acregmin=0,acregmax=0,acdirmin=0,acdirmax=0,hard,proto=tcp,timeo=600,retrans=2,sec=sys,clientaddr=10.0.0.2,lookupcache=none,local_lock=none,addr=10.0.0.1
42 22 0:42 / /srv/noac rw,relatime shared:22 - nfs server:/files rw,sync,vers=3,rsize=1048576,wsize=1048576,namlen=255,acregmin=0,acregmax=0,acdirmin=0,acdirmax=0,hard,noac,proto=tcp,timeo=600,retrans=2,sec=sys,mountaddr=10.0.0.1,mountvers=3,mountport=20048,mountproto=udp,lookupcache=none,local_lock=none,addr=10.0.0.1
43 22 0:43 / /srv/pos rw,relatime shared:23 - nfs4 server:/files rw,vers=4.2,hard,noac,lookupcache=pos,local_lock=none,addr=10.0.0.1
44 22 0:44 / /srv/dir\040cached rw,relatime shared:24 - nfs4 server:/files rw,vers=4.2,acregmin=0,acregmax=0,hard,lookupcache=none,addr=10.0.0.1
45 22 0:45 / /srv/ceph rw,relatime shared:25 - ceph 10.0.0.1:6789,10.0.0.2:6789:/ rw,name=admin,secret=<hidden>,acl
46 22 0:46 / /srv/gluster rw,relatime shared:26 - fuse.glusterfs server:vol rw,user_id=0,group_id=0,default_permissions,allow_other,max_read=131072
47 22 0:47 / /srv/smb rw,relatime shared:27 - cifs //server/files rw,vers=3.1.1,cache=strict,username=u,uid=0,noforceuid,gid=0,noforcegid,addr=10.0.0.1,file_mode=0755,dir_mode=0755,soft,nounix,serverino,mapposix,rsize=4194304,wsize=4194304,bsize=1048576,echo_interval=60,actimeo=1,closetimeo=1
48 22 0:48 / /srv/overlay rw,relatime - overlay overlay rw,lowerdir=/l,upperdir=/u,workdir=/w
49 22 0:49 / /srv/sshfs rw,nosuid,nodev,relatime shared:28 - fuse.sshfs host: rw,user_id=0,group_id=0
50 22 0:50 / /srv/host rw,relatime - 9p hostshare rw,sync,dirsync,access=client,trans=virtio
51 22 0:51 / /srv/new rw,relatime - newfs server:/ rw
52 22 8:17 / /srv/disk rw,relatime shared:30 - xfs /dev/sdb1 rw,attr2,inode64,logbufs=8,logbsize=32k,noquota
53 52 0:40 / /srv/disk/below rw,relatime shared:20 - nfs4 server:/files rw,vers=4.2,hard,addr=10.0.0.1
54 22 8:18 / /srv/over rw,relatime - ext4 /dev/sdb2 rw
55 54 0:47 / /srv/over rw,relatime - cifs //server/files rw,vers=3.1.1
`

func TestCheckMounts(t *testing.T) {
	t.Parallel()
	const caches, identify = "mount %s with the options lookupcache=none,actimeo=0", "its files can't be identified"
	for dir, want := range map[string]string{
		"/home/davd":             "",
		"/run/x":                 "",
		"/srv/nfs":               strings.Replace(caches, "%s", "/srv/nfs", 1),
		"/srv/nfs/deep/er":       strings.Replace(caches, "%s", "/srv/nfs", 1),
		"/srv/nfs0/a":            "",
		"/srv/noac":              "",
		"/srv/pos":               strings.Replace(caches, "%s", "/srv/pos", 1),
		"/srv/dir cached/x":      strings.Replace(caches, "%s", "/srv/dir cached", 1),
		"/srv/ceph/files":        "",
		"/srv/gluster":           "GlusterFS doesn't order the renames of directories",
		"/srv/smb/x":             "serve the disk by NFS or CephFS",
		"/srv/overlay":           "an overlay can't rename",
		"/srv/sshfs":             identify,
		"/srv/host":              "it may show old names",
		"/srv/new":               "davd doesn't know",
		"/srv/disk":              "can't share /srv/disk/below, which is in /srv/disk",
		"/srv/disk/other":        "",
		"/srv/disk/below":        strings.Replace(caches, "%s", "/srv/disk/below", 1),
		"/srv/over":              "it is on cifs",
		"/srv/nfs0/../nfs0-more": "",
	} {
		err := checkMounts(sharedMounts, dir, 0)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", dir, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: error %v, want %q", dir, err, want)
		}
	}
	if err := checkMounts(sharedMounts, "/srv/over", 54); err != nil && !strings.Contains(err.Error(), "which is in") {
		t.Errorf("by number: %v", err)
	}
	if err := checkMounts("", "/", 0); err == nil {
		t.Error("without any mount: no error")
	}
}

// TestCheckShared checks a directory of this machine.
func TestCheckShared(t *testing.T) {
	t.Parallel()
	if err := CheckShared(t.TempDir() + "/missing"); err == nil {
		t.Error("no error for a missing directory")
	}
	err := CheckShared(t.TempDir())
	if err != nil && !strings.Contains(err.Error(), "several servers can't share") {
		t.Error(err)
	}
}
