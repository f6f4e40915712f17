package litmus

import (
	"errors"
	"testing"
)

// TestVerifyScript runs packaging/verify/verify.sh, as far as Linux has what it needs: on a
// directory, on a mount of a davd, and on one that the user may not write to.
func TestVerifyScript(t *testing.T) {
	t.Parallel()
	if err := errors.Join(mountPermitted(), fuseUsable()); err != nil {
		summary.skip(t, "packaging/verify", err)
	}
	runPage(t, pagePrologue+homeServer(t)+verifyScript)
}

const verifyScript = `
verify=../packaging/verify/verify.sh
mkdir $work/plain
$verify $work/plain >$work/report
grep -q '^21 passed, 0 failed, 1 skipped$' $work/report
test -z "$(ls -A $work/plain)"
cp /var/lib/davd/tls/self-signed.crt /etc/davfs2/certs/davd.pem
export DAVD_PASSWORD="$(password ann)"
DAVFS_CONF='trust_server_cert davd.pem' $verify https://localhost:8443/home/ann/ ann >$work/report || { cat $work/report; exit 1; }
grep -q '^passed .* a lock keeps other clients out$' $work/report
grep -q '^passed .* change bytes in the middle of a large file$' $work/report
! grep -e 'localhost' -e ann $work/report || exit 1
! DAVD_PASSWORD=wrong $verify https://localhost:8443/home/ann/ ann >$work/report || exit 1
grep -q '^FAILED  *mount$' $work/report
stop
`
