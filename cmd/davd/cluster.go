package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/davd/davd/cmd/davd/internal/config"
	"github.com/davd/davd/storage/cluster"
	"github.com/davd/davd/storage/local"
	"github.com/davd/davd/storage/strays"
)

const (
	// joinPatience is how long davd waits at its start until it may change something.
	joinPatience = 10 * time.Second
	joinPause    = 10 * time.Millisecond
	// leavePatience is how long the end may take.
	leavePatience = 5 * time.Second
	// straysInterval is the time between two looks for unfinished uploads of dead nodes.
	straysInterval = 30 * time.Second
)

// node returns this davd as one of several that share the state, or nil.
func (s *site) node() cluster.Node { return cluster.Of(s.state.State) }

// shareDirectory prepares a directory that several davd will change. stage returns names for
// stages.
func shareDirectory(cfg *config.Config, stage func() string) error {
	switch {
	case cfg.Storage.Kind == "":
		return nil // The names are in the database of the state.
	case cfg.Elsewhere() || cfg.Storage.Kind == config.Mem:
		return errors.New("several davd can share only a directory or objects: serve one of these, or leave out --state postgres://…")
	}
	if err := local.CheckShared(cfg.Dir); err != nil {
		return err
	}
	cfg.Local.Stage = stage
	return nil
}

// checkShares makes sure that several davd can serve the shares of cfg.
func checkShares(cfg *config.Config) error {
	for _, share := range cfg.Shares {
		if share.Dir == "" && share.Objects == "" {
			return fmt.Errorf("the share %s: several davd can share only directories and objects: give it a dir, or use a state that only this davd uses", share.Name)
		}
	}
	return nil
}

// stageName returns a new name for the content of a file that is being received.
func (s *site) stageName() string { return cluster.StageName(s.state.Shared.Cluster().Epoch()) }

// joinCluster makes davd a node until leave is called. Without other nodes it does nothing.
func (s *site) joinCluster(ctx context.Context) (leave func()) {
	node := s.node()
	if node == nil {
		return func() {}
	}
	first := s.handler // It takes over with the options of the newest one.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() {
		ended <- node.Run(running, func(ctx context.Context, works []cluster.Adopted) {
			logRecovered(ctx, s.log, first.TakeOver(ctx, works))
		})
	}()
	if !joined(ctx, node) {
		s.log.WarnContext(ctx, "davd is not a member of the cluster yet; it refuses changes until it is")
	}
	sweeping := background(running, s.sweepShared)
	return func() {
		sweeping()
		s.leaveCluster(node)
		stop()
		if err := <-ended; err != nil {
			s.log.Error("the membership of the cluster ended", "err", err)
		}
	}
}

// joined waits until node is a member.
func joined(ctx context.Context, node cluster.Node) bool {
	ctx, cancel := context.WithTimeout(ctx, joinPatience)
	defer cancel()
	ticker := time.NewTicker(joinPause)
	defer ticker.Stop()
	for !node.Stats().Member {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
	return true
}

// leaveCluster ends the membership, unless a change has not ended. That needs the others, and they
// take over when the lease is over.
func (s *site) leaveCluster(node cluster.Node) {
	if held := node.Stats().Held; held > 0 {
		s.log.Warn("changes that have not ended are left to the other nodes", "changes", held)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leavePatience)
	defer cancel()
	if err := node.Leave(ctx); err != nil {
		s.log.Warn("can't leave the cluster; the others will notice", "err", err)
	}
}

// sweepShared removes the unfinished uploads of dead nodes, until ctx ends.
func (s *site) sweepShared(ctx context.Context) {
	ticker := time.NewTicker(straysInterval)
	defer ticker.Stop()
	for {
		left, err := s.state.Shared.LeftStrays(ctx)
		if err == nil && len(left) > 0 {
			var swept []strays.Swept
			if s.namespace != nil {
				swept, err = s.namespace.shares.SweepNotes(ctx, left)
			} else {
				swept, err = strays.SweepNotes(ctx, s.fsys, left)
			}
			logRecovered(ctx, s.log, sweptAsRecovered(swept))
		}
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "can't remove unfinished uploads of other nodes; davd tries again", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// watchCluster adds the facts about node.
func (m *monitor) watchCluster(node cluster.Node) {
	if m == nil || node == nil {
		return
	}
	m.metrics.WatchCluster(node.Stats)
	m.needs("cluster", func(context.Context) error {
		if stats := node.Stats(); !stats.Member {
			return fmt.Errorf("davd can't change anything: its lease was last renewed %v ago", stats.Renewed.Round(time.Second))
		}
		return nil
	})
}
