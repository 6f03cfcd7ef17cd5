package source

import "sync"

// Each runs work for every item, at most limit of them at a time, and returns
// when all have ended. A source asks its nodes with it.
func Each[T any](limit int, items []T, work func(T)) {
	if len(items) == 1 { // the usual cluster has one name server, or one broker
		work(items[0])
		return
	}
	slots := make(chan struct{}, limit)
	var wg sync.WaitGroup
	for _, item := range items {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			work(item)
		})
	}
	wg.Wait()
}
