package davclient

import (
	"context"
	"net/http"
)

// TransferOptions are the options of Copy and Move.
type TransferOptions struct {
	// Overwrite allows the server to replace a resource at the destination, a
	// collection as a whole. Without it such a request fails with 412 (RFC 4918
	// §10.6).
	Overwrite bool
	// Shallow makes Copy copy a collection without its members (RFC 4918 §9.8.3).
	// Move ignores it.
	Shallow bool
}

// Copy copies src, with its members, to dst. It reports whether dst was created
// rather than replaced. With a context of [WithFollow] the client follows the
// operation to its end, however long it takes.
func (c *Client) Copy(ctx context.Context, src, dst string, o TransferOptions) (created bool, err error) {
	return c.transfer(ctx, "COPY", src, dst, o)
}

// Move moves src, with its members, to dst. It reports whether dst was created
// rather than replaced. WithFollow works as for Copy.
func (c *Client) Move(ctx context.Context, src, dst string, o TransferOptions) (created bool, err error) {
	o.Shallow = false
	return c.transfer(ctx, "MOVE", src, dst, o)
}

func (c *Client) transfer(ctx context.Context, method, src, dst string, o TransferOptions) (created bool, err error) {
	destination, err := c.Resolve(dst)
	if err != nil {
		return false, err
	}
	header := http.Header{"Destination": {destination.String()}, "Overwrite": {"F"}, "Depth": {string(DepthInfinity)}}
	if o.Overwrite {
		header.Set("Overwrite", "T")
	}
	if o.Shallow {
		header.Set("Depth", string(Depth0))
	}
	status, err := c.operate(ctx, method, src, header)
	return status == http.StatusCreated, err
}

// Delete removes ref with its members. WithFollow works as for Copy.
func (c *Client) Delete(ctx context.Context, ref string) error {
	_, err := c.operate(ctx, http.MethodDelete, ref, http.Header{})
	return err
}

// Mkcol creates a collection. Its parent must exist (RFC 4918 §9.3).
func (c *Client) Mkcol(ctx context.Context, ref string) error {
	_, err := c.expect(ctx, "MKCOL", ref, nil, nil)
	return err
}
