package kill

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A watch records what some processes change, on all filesystems except a few. It uses fanotify(7).
type watch struct {
	file *os.File
	done chan struct{}
	// roots are open directories, one on each filesystem, which are needed to find the names
	// of other files.
	roots map[uint64]*os.File

	mu sync.Mutex
	// pids are the followed processes and their descendants.
	pids map[int]bool
	// strangers are other processes, with the time when the watch found that out.
	strangers map[int]time.Time
	// seen are the events of processes that may be followed only later.
	seen map[int][]string
	lost bool
	// marker is the name of a file. settled is closed when its event arrives.
	marker  string
	settled chan struct{}
}

// changes are the events that only changes cause.
const changes = unix.FAN_MODIFY | unix.FAN_CREATE | unix.FAN_DELETE | unix.FAN_MOVED_FROM | unix.FAN_MOVED_TO |
	unix.FAN_ATTRIB | unix.FAN_ONDIR

// watchRest watches all filesystems except those mounted at mine, until the test ends.
func watchRest(t *testing.T, mine ...string) *watch {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Log("nobody watches the rest of the disk: that needs root")
		return nil
	}
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_NOTIF|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK|unix.FAN_UNLIMITED_QUEUE|unix.FAN_REPORT_DFID_NAME, unix.O_RDONLY|unix.O_CLOEXEC)
	if err != nil {
		t.Logf("nobody watches the rest of the disk: fanotify_init: %v", err)
		return nil
	}
	w := &watch{
		file: os.NewFile(uintptr(fd), "fanotify"), done: make(chan struct{}),
		roots: map[uint64]*os.File{}, pids: map[int]bool{}, strangers: map[int]time.Time{},
		seen: map[int][]string{},
	}
	if err := w.mark(fd, mine); err != nil {
		t.Fatal(err)
	}
	go w.read()
	t.Cleanup(w.close)
	return w
}

func (w *watch) close() {
	_ = w.file.Close() // This ends read.
	<-w.done
	for _, root := range w.roots {
		_ = root.Close()
	}
}

// mark marks each mounted filesystem once.
func (w *watch) mark(fd int, mine []string) error {
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	marked := map[uint64]bool{}
	for _, dir := range mine {
		if id, err := identify(dir); err == nil {
			marked[id] = true
		}
	}
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		dir := strings.ReplaceAll(fields[4], `\040`, " ")
		if slices.ContainsFunc(mine, func(m string) bool { return strings.HasPrefix(dir+"/", m+"/") }) {
			continue
		}
		id, err := identify(dir)
		if err != nil || marked[id] {
			continue // Another mount hides it.
		}
		marked[id] = true
		err = unix.FanotifyMark(fd, unix.FAN_MARK_ADD|unix.FAN_MARK_FILESYSTEM, changes, unix.AT_FDCWD, dir)
		if kernelOwn(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("fanotify_mark %s: %w", dir, err)
		}
		if root, err := os.Open(dir); err == nil {
			w.roots[id] = root
		}
	}
	return nil
}

// kernelOwn reports whether err means that the filesystem can't be watched, because it is one of the
// kernel, such as proc, that holds no files.
func kernelOwn(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EXDEV)
}

// identify returns the number of the filesystem at dir, as used in events.
func identify(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return binary.NativeEndian.Uint64((*[8]byte)(unsafe.Pointer(&s.Fsid))[:]), nil
}

// follow adds a process whose changes are recorded.
func (w *watch) follow(pid int) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pids[pid] = true
}

// stranger is how long a process is known to be none of the followed ones. Later, its number may
// belong to another process.
const stranger = time.Second

// adoptLocked follows pid if a followed process has started it. It can't find that out if pid has
// already ended.
func (w *watch) adoptLocked(pid int) {
	if w.pids[pid] || time.Since(w.strangers[pid]) < stranger {
		return
	}
	for above := pid; above > 1; above = parentOf(above) {
		if w.pids[above] {
			w.pids[pid] = true
			return
		}
	}
	w.strangers[pid] = time.Now()
}

// parentOf returns the parent of pid, or 0 if it is unknown.
func parentOf(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name of the program may contain anything. It ends at the last bracket.
	_, rest, _ := strings.Cut(string(status[bytes.LastIndexByte(status, ')')+1:]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 2 {
		return 0
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return parent
}

// read reads events until the watch is closed.
func (w *watch) read() {
	defer close(w.done)
	buf := make([]byte, 256<<10)
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return
		}
		for rest := buf[:n]; len(rest) >= int(unsafe.Sizeof(unix.FanotifyEventMetadata{})); {
			var event unix.FanotifyEventMetadata
			if binary.Read(bytes.NewReader(rest), binary.NativeEndian, &event) != nil || int(event.Event_len) > len(rest) {
				return
			}
			w.note(event, rest[event.Metadata_len:event.Event_len])
			rest = rest[event.Event_len:]
		}
	}
}

// mostNoted is how many events of one process are recorded.
const mostNoted = 20

func (w *watch) note(event unix.FanotifyEventMetadata, info []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = w.lost || event.Mask&unix.FAN_Q_OVERFLOW != 0
	if w.marker != "" && baseOf(info) == w.marker {
		close(w.settled)
		w.marker = ""
	}
	pid := int(event.Pid)
	w.adoptLocked(pid)
	if len(w.seen[pid]) < mostNoted {
		w.seen[pid] = append(w.seen[pid], fmt.Sprintf("event %#x at %s", event.Mask, w.name(info)))
	}
}

// The record of an event consists of a header, the number of the filesystem, the length and kind of
// a directory's handle, the handle, and the name of a member.
const (
	infoFilesystem = 4
	infoLength     = 12
	infoKind       = 16
	infoHandle     = 20
)

// baseOf returns the last segment of the path in an event.
func baseOf(info []byte) string {
	if len(info) < infoHandle {
		return ""
	}
	end := infoHandle + int(binary.NativeEndian.Uint32(info[infoLength:]))
	if end > len(info) {
		return ""
	}
	base, _, _ := bytes.Cut(info[end:], []byte{0})
	return string(base)
}

// name returns the path in an event, as far as it can be found.
func (w *watch) name(info []byte) string {
	base := baseOf(info)
	if base == "" {
		return "an unknown place"
	}
	root := w.roots[binary.NativeEndian.Uint64(info[infoFilesystem:])]
	if root == nil {
		return base + " on an unknown filesystem"
	}
	length, kind := binary.NativeEndian.Uint32(info[infoLength:]), int32(binary.NativeEndian.Uint32(info[infoKind:]))
	handle := info[infoHandle : infoHandle+int(length)]
	fd, err := unix.OpenByHandleAt(int(root.Fd()), unix.NewFileHandle(kind, handle), unix.O_PATH|unix.O_CLOEXEC)
	if err != nil {
		return fmt.Sprintf("%s in a directory of %s that is gone", base, root.Name())
	}
	defer unix.Close(fd)
	dir, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return err.Error()
	}
	return filepath.Join(dir, base)
}

// none fails the test if a followed process has changed anything.
func (w *watch) none(t *testing.T) {
	t.Helper()
	if w == nil {
		return
	}
	for _, what := range w.changed(t) {
		t.Errorf("davd has changed the rest of the disk: %s", what)
	}
}

// changed returns what the followed processes have changed until now.
func (w *watch) changed(t *testing.T) (changed []string) {
	t.Helper()
	w.settle(t)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost {
		t.Error("the kernel has dropped events of the watch")
	}
	for pid := range w.pids {
		for _, what := range w.seen[pid] {
			changed = append(changed, fmt.Sprintf("process %d: %s", pid, what))
		}
	}
	return changed
}

// settle waits until all earlier events were read. It causes an event of its own and waits for that,
// because events arrive in order.
func (w *watch) settle(t *testing.T) {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "settled")
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.marker, w.settled = filepath.Base(file.Name()), make(chan struct{})
	settled := w.settled
	w.mu.Unlock()
	if _, err := file.WriteString("now"); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-settled:
	case <-time.After(patience):
		t.Error("the watch sees nothing")
	}
}
