package history_test

import (
	"testing"

	"github.com/davd/davd/storage/history"
	"github.com/davd/davd/storage/storagetest"
)

func TestMem(t *testing.T) {
	storagetest.HistorySuite{New: func(*testing.T) history.Store { return history.NewMem() }}.Run(t)
}
