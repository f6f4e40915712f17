package tree

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/davd/davd/storage"
)

// Stage is a complete file or collection under a reserved name, which a PUT, MKCOL or LOCK makes.
type Stage struct {
	// Method is that of the request.
	Method string
	// Name is the reserved name, beside Destination.
	Name        string
	Destination string
}

// PlaceStage calls commit, which gives a stage its name, in one step. It needs a [Fence], and
// the claim of that on the destination. Before commit, it records what a process needs that takes
// over.
//
// The result is Finished if the destination is in place, even if commit has failed. It is Undone
// if nothing has changed and nothing will; then the stage is gone. With another error, a
// [*UnsettledError], the result is "".
func (e Engine) PlaceStage(ctx context.Context, s Stage, commit func(ctx context.Context) error) (Result, error) {
	ctx, release := storage.Pin(ctx, e.FS)
	defer release()
	op := e.stagePlacement(ctx, s)
	op.entry.State = Staging
	return op.placeStage(ctx, commit)
}

// MakeCollection makes the collection name with a [Fence], in one step. The error matches
// fs.ErrExist if the name exists. The results are those of PlaceStage.
func (e Engine) MakeCollection(ctx context.Context, name string, perm fs.FileMode) (Result, error) {
	return e.make(ctx, mkcolMethod, name, func(ctx context.Context, stage string) error {
		return e.FS.Mkdir(ctx, stage, perm)
	})
}

// MakeFile is MakeCollection for an empty file.
func (e Engine) MakeFile(ctx context.Context, name string, perm fs.FileMode) (Result, error) {
	return e.make(ctx, lockMethod, name, func(ctx context.Context, stage string) error {
		f, err := e.FS.OpenFile(ctx, stage, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if err != nil {
			return err
		}
		return f.Close()
	})
}

// make makes name. create makes the stage.
func (e Engine) make(ctx context.Context, method, name string, create func(ctx context.Context, stage string) error) (Result, error) {
	ctx, release := storage.Pin(ctx, e.FS)
	defer release()
	if err := storage.Allowed(ctx, e.FS, name, storage.RightCreate, false); err != nil {
		return Undone, err
	}
	ctx, staging := e.staging(ctx)
	s := Stage{Method: method, Name: e.beside(name), Destination: name}
	staging.Set(s.Name, name)
	op := e.stagePlacement(ctx, s)
	err := op.advance(ctx, Staging)
	if err == nil {
		err = create(ctx, s.Name)
	}
	if err != nil {
		return op.stageFailed(ctx, err)
	}
	return op.placeStage(ctx, func(ctx context.Context) error { return renameNew(ctx, e.FS, s.Name, name) })
}

func (e *Engine) stagePlacement(ctx context.Context, s Stage) *operation {
	entry := Entry{ID: e.Fence.ID, Method: s.Method, Stage: s.Name, Destination: s.Destination}
	if tenant, ok := storage.TenantOf(ctx); ok {
		entry.Tenant = &tenant
	}
	e.Workers = e.Workers.ready()
	return &operation{placement{record: record{Engine: e, entry: entry}}}
}

// placeStage places a stage that exists. It looks for the stage under the claim, because before
// that its collection may have been renamed. A process that takes over would not find it then.
func (op *operation) placeStage(ctx context.Context, commit func(ctx context.Context) error) (Result, error) {
	info, err := storage.Lstat(ctx, op.FS, op.entry.Stage)
	if err == nil {
		_, err = op.placing(ctx, info)
	}
	if err != nil {
		return op.stageFailed(ctx, err)
	}
	if err := commit(context.WithoutCancel(ctx)); err != nil {
		return op.stageFailed(ctx, err)
	}
	return Finished, nil
}

func (op *operation) stageFailed(ctx context.Context, err error) (Result, error) {
	finished := false
	settled := op.settleOwn(ctx, err, &finished)
	switch _, unsettled := errors.AsType[*UnsettledError](settled); {
	case finished:
		return Finished, err
	case unsettled:
		return "", settled
	}
	return Undone, err
}

// renameNew renames from to the name to, which must not exist.
func renameNew(ctx context.Context, fsys storage.FS, from, to string) error {
	err := storage.RenameWith(ctx, fsys, storage.Renaming{Old: from, New: to, Vacant: true})
	if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if _, err := storage.Lstat(ctx, fsys, to); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, &os.LinkError{Op: "rename", Old: from, New: to, Err: fs.ErrExist})
	}
	return fsys.Rename(ctx, from, to)
}
