package main

import (
	"io"
	"net"

	"golang.org/x/sys/unix"
)

// dropFromKernel discards n bytes from a connection in the kernel, with MSG_TRUNC (tcp(7)).
func dropFromKernel(conn *net.TCPConn, n int64, buf []byte) (int64, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var dropped int64
	for dropped < n {
		var got int
		var failed error
		want := min(n-dropped, int64(len(buf)))
		err := raw.Read(func(fd uintptr) bool {
			got, _, failed = unix.Recvfrom(int(fd), buf[:want], unix.MSG_TRUNC)
			return failed != unix.EAGAIN && failed != unix.EINTR
		})
		switch {
		case err != nil:
			return dropped, err
		case failed != nil:
			return dropped, failed
		case got == 0:
			return dropped, io.ErrUnexpectedEOF
		}
		dropped += int64(got)
	}
	return dropped, nil
}
