package demo

import (
	"strings"
	"text/template"
)

var guide = template.Must(template.New("guide").Parse(`Copying the tree takes about 15 seconds. Try it in another terminal:

1. with curl, which asks for interim responses:

   curl -v -X COPY -H 'Prefer: processing' -H 'Destination: {{.Root}}{{.Spare}}/by-curl/' {{.Root}}{{.Archive}}/

2. with cadaver, which is known to understand them:

   printf 'copy {{.Archive}}/ {{.Spare}}/by-cadaver/\n' | cadaver {{.Root}}/

3. with a mounted drive (davfs2, as root; leave user name and password empty).
   This one moves the tree away, so try it last:

   mkdir -p /mnt/davd && mount -t davfs {{.Root}}/ /mnt/davd
   mv /mnt/davd{{.Archive}} /mnt/davd{{.Spare}}/by-davfs2 && umount /mnt/davd

Each response that davd sends is shown below. Ctrl-C ends the demo and removes
the tree.

`))

// Guide prints the commands to try. root is the URL of the server's root.
func (s *Screen) Guide(root string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = guide.Execute(s.Out, map[string]any{
		"Root": strings.TrimSuffix(root, "/"), "Archive": Archive, "Spare": Spare,
	})
}
