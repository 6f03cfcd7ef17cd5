package direct

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rocketmq-exporter/rocketmq_exporter/internal/model"
)

// TestClaims: queues that are held in runs have the holders that they had one by
// one, and who was asked last has what two claim.
func TestClaims(t *testing.T) {
	const one, two ref = 0x1234_5678_9abc, 0x1234_5678_9abd // neighbours
	claims := claimsOf([]queueRef{
		two.queue(0), one.queue(maxQueues - 1), one.queue(3), one.queue(1), one.queue(2), one.queue(2), two.queue(7),
	})
	want := []claim{
		{0x1234_5678, 0x9abc, 1, 3}, {0x1234_5678, 0x9abc, maxQueues - 1, maxQueues - 1},
		{0x1234_5678, 0x9abd, 0, 0}, {0x1234_5678, 0x9abd, 7, 7},
	}
	if !slices.Equal(claims, want) || claims[0].ref() != one || claims[2].ref() != two {
		t.Errorf("claims are %x, want %x", claims, want)
	}
	if claimsOf(nil) != nil {
		t.Error("who holds nothing has claims")
	}

	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		const queues = 12
		want := make([]int32, queues)
		holders := make([][]queueRef, 3)
		asked := []model.Stamp{1, 3, 2}
		twice := false
		for q := range want {
			want[q] = model.NoOwner
			for client := range holders {
				if random.IntN(3) > 0 {
					continue
				}
				holders[client] = append(holders[client], one.queue(int32(q)))
				twice = twice || want[q] != model.NoOwner
				if want[q] == model.NoOwner || asked[client] > asked[want[q]] {
					want[q] = int32(client)
				}
			}
		}
		var claimants []claimant
		for client, list := range holders {
			claimants = append(claimants, claimant{int32(client), claimsOf(append(list, two.queue(int32(client)))), asked[client]})
		}
		got := slices.Repeat([]int32{model.NoOwner}, queues)
		if gotTwice := own(got, one, claimants); !slices.Equal(got, want) || gotTwice != twice {
			t.Fatalf("holders are %v, twice %v; want %v, %v", got, gotTwice, want, twice)
		}
	}
}
