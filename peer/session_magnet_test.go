package peer

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"starling/p2p/mse"
	"starling/peer/magnet"
)

// TestMagnet: the info dictionary comes from sessions of ours, over sockets, also
// from those that take encrypted connections only.
func TestMagnet(t *testing.T) {
	p := newPayload(t, "content", 1<<20, 16<<10)
	fetch := func(ctx context.Context, e Encryption, peers ...string) (*magnet.Found, error) {
		return magnet.Fetch(ctx, magnet.Options{
			InfoHash: p.meta.InfoHash, PeerID: [20]byte{9}, Dial: Dialer(e, netip.Addr{}, p.meta.InfoHash),
			Check: func(info []byte) error {
				if !bytes.Equal(info, p.meta.InfoBytes) {
					return errors.New("another")
				}
				return nil
			},
			Announce:      func(context.Context) ([]string, error) { return peers, nil },
			AnnounceEvery: time.Minute,
		})
	}
	open := testSession(t, 1, nil)
	p.seed(t, open)
	patient, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got, err := fetch(patient, EncryptionAccept, open.Addr().String())
	if err != nil || !bytes.Equal(got.Info, p.meta.InfoBytes) || len(got.Peers) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := fetch(short, EncryptionAccept); !errors.Is(err, magnet.ErrNoPeers) {
		t.Errorf("without peers: %v", err)
	}
	if mse.Allowed() != nil {
		t.Skip("RC4 is forbidden here")
	}
	hidden := testSession(t, 2, func(c *Config) { c.Encryption = EncryptionRequire })
	p.seed(t, hidden)
	if _, err := fetch(patient, EncryptionRequire, hidden.Addr().String()); err != nil {
		t.Errorf("encrypted: %v", err)
	}
	short, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := fetch(short, EncryptionOff, hidden.Addr().String()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("in the clear, of one that takes no such connection: %v", err)
	}
}
