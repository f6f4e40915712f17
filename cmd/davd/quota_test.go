package main

import (
	"math"
	"strings"
	"testing"

	"github.com/davd/davd/cmd/davd/internal/quotas"
	"github.com/davd/davd/storage/quota"
)

func TestWriteQuotas(t *testing.T) {
	var table strings.Builder
	err := writeQuotas(&table, []quotas.Quota{
		{Share: "/photos", Usage: quota.Usage{Used: 1<<30 + 1<<29, Limit: 50 << 30}, Available: 48<<30 + 1<<29},
		{Share: "/home/ann", Usage: quota.Usage{Used: 1023, Limit: math.MaxInt64}, Available: -1, Error: "the disk is missing"},
	})
	const want = `SHARE         USED   LIMIT      LEFT
/photos    1.5 GiB  50 GiB  48.5 GiB
/home/ann   1023 B   8 EiB         -  the disk is missing
`
	if err != nil || table.String() != want {
		t.Errorf("%v\n%s", err, table.String())
	}
}
