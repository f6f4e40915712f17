package uploads_test

import (
	"testing"

	"github.com/davd/davd/storage/storagetest"
	"github.com/davd/davd/storage/uploads"
)

func TestMem(t *testing.T) { storagetest.RunUploads(t, &uploads.Mem{}, nil) }
