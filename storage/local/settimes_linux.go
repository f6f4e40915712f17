package local

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// setFarTime is setTimes for times that nanoseconds since 1970 can't express.
func setFarTime(dir access, name string, modified time.Time) error {
	spec, err := unix.TimeToTimespec(modified)
	if err != nil {
		return errors.Join(errors.ErrUnsupported, err)
	}
	file, err := dir.OpenFile(name, unix.O_PATH, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, spec}
	_, err = retry(func() (int, error) {
		return 0, unix.UtimesNanoAt(int(file.Fd()), "", times, unix.AT_EMPTY_PATH)
	})
	if errors.Is(err, unix.EINVAL) { // a kernel older than 5.8
		return errors.Join(errors.ErrUnsupported, err)
	}
	return err
}
