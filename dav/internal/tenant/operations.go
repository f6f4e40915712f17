package tenant

import (
	"context"
	"io/fs"

	"github.com/davd/davd/storage/cluster"
)

// Operations shows only the operations of the tenant in the context. Records must already have
// the principal's name in the state ([Principal]) when they are reported.
type Operations struct{ cluster.Operations }

func (Operations) own(ctx context.Context, s cluster.Status) (cluster.Status, bool) {
	var ok bool
	s.Record, ok = History{}.own(ctx, s.Record)
	return s, ok
}

// Load implements cluster.Operations, like the methods below.
func (o Operations) Load(ctx context.Context, id string) (cluster.Status, error) {
	return o.found(ctx)(o.Operations.Load(ctx, id))
}

// Find implements cluster.Operations.
func (o Operations) Find(ctx context.Context, key [32]byte) (cluster.Status, error) {
	return o.found(ctx)(o.Operations.Find(ctx, key))
}

func (o Operations) found(ctx context.Context) func(cluster.Status, error) (cluster.Status, error) {
	return func(s cluster.Status, err error) (cluster.Status, error) {
		if err != nil {
			return s, err
		}
		own, ok := o.own(ctx, s)
		if !ok {
			return cluster.Status{}, fs.ErrNotExist
		}
		return own, nil
	}
}

// Running implements cluster.Operations.
func (o Operations) Running(ctx context.Context) ([]cluster.Status, error) {
	all, err := o.Operations.Running(ctx)
	var own []cluster.Status
	for _, s := range all {
		if s, ok := o.own(ctx, s); ok {
			own = append(own, s)
		}
	}
	return own, err
}
