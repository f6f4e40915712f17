package demo

import (
	"fmt"
	"strconv"
	"strings"
)

// guide is the text of Guide, with placeholders such as ROOT for the URL of the root.
const guide = `davd: a tree of MEMBERS members, in memory, on slow storage, at ROOT/

Copying it takes about 15 seconds. Try it in another terminal:

1. with curl, which asks for interim responses:

   curl -v -X COPY -H 'Prefer: processing' -H 'Destination: ROOTSPARE/by-curl/' ROOTARCHIVE/

2. with cadaver, which is known to understand them:

   printf 'copy ARCHIVE/ SPARE/by-cadaver/\n' | cadaver ROOT/

3. with a mounted drive (davfs2, as root; leave user name and password empty).
   This one moves the tree away, so try it last:

   mkdir -p /mnt/davd && mount -t davfs ROOT/ /mnt/davd
   mv /mnt/davdARCHIVE /mnt/davdSPARE/by-davfs2 && umount /mnt/davd

Each response that davd sends is shown below. Ctrl-C ends the demo and removes
the tree.
`

// Guide prints the commands to try. root is the URL of the server's root.
func (s *Screen) Guide(root string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fill := strings.NewReplacer(
		"ROOT", strings.TrimSuffix(root, "/"),
		"ARCHIVE", Archive,
		"SPARE", Spare,
		"MEMBERS", strconv.Itoa(Members),
	)
	fmt.Fprintln(s.Out, fill.Replace(guide))
}
