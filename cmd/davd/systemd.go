package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/cmd/davd/internal/server"
)

// openListeners opens the listeners. A socket from systemd takes the place of the default --addr.
func openListeners(ctx context.Context, cfg *config.Config) ([]*server.Listener, error) {
	activated, err := server.Activated()
	if err != nil || len(activated) > 0 && cfg.Setting("addr").Origin().IsDefault() {
		return activated, err
	}
	opened, err := server.Listen(ctx, cfg.Addrs)
	if err != nil {
		return nil, errors.Join(err, closeAll(activated))
	}
	return append(activated, opened...), nil
}

// supervised tells systemd that davd is ready and then, as often as its unit asks, that it is alive.
// When ctx ends, it tells that davd stops. It does nothing without systemd (sd_notify).
func supervised(ctx context.Context, log *slog.Logger) (stop func()) {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return func() {}
	}
	notify(log, daemon.SdNotifyReady)
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("the watchdog of systemd can't be used", "err", err)
	}
	return background(ctx, func(ctx context.Context) {
		feedWatchdog(ctx, log, every)
		notify(log, daemon.SdNotifyStopping)
	})
}

// feedWatchdog tells systemd that davd is alive, twice in each span of every, until ctx ends. every is 0 if
// systemd does not ask.
func feedWatchdog(ctx context.Context, log *slog.Logger, every time.Duration) {
	if every <= 0 {
		<-ctx.Done()
		return
	}
	ticker := time.NewTicker(every / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			notify(log, daemon.SdNotifyWatchdog)
		}
	}
}

// reloadingNow tells systemd that davd reads its configuration. Call done afterwards.
func reloadingNow(log *slog.Logger) (done func()) {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return func() {}
	}
	notify(log, daemon.SdNotifyReloading+"\n"+daemon.SdNotifyMonotonicUsec())
	return func() { notify(log, daemon.SdNotifyReady) }
}

func notify(log *slog.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("systemd can't be told the state of davd", "state", state, "err", err)
	}
}
