package main

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Quote is the record: what an instrument costs at present.
type Quote struct {
	Name  string `json:"name"`
	Cents int    `json:"cents"`
	Move  int    `json:"move"` // how often it has changed
}

// opening is the day's list of instruments and what they cost at first.
var opening = []Quote{
	{Name: "gold", Cents: 241_250},
	{Name: "silver", Cents: 2_934},
	{Name: "copper", Cents: 41_130},
	{Name: "nickel", Cents: 16_520},
	{Name: "zinc", Cents: 27_815},
	{Name: "tin", Cents: 31_480},
	{Name: "wheat", Cents: 5_625},
	{Name: "maize", Cents: 4_380},
	{Name: "cocoa", Cents: 73_410},
	{Name: "coffee", Cents: 22_960},
	{Name: "cotton", Cents: 6_870},
	{Name: "sugar", Cents: 1_945},
}

// instruments are their names, in the order of the board: the keys.
func instruments() []string {
	names := make([]string, len(opening))
	for i, q := range opening {
		names[i] = q.Name
	}
	return names
}

// pulse is how often some price moves.
const pulse = 5 * time.Millisecond

// market is what owns the prices. They move whether anybody asks or not.
type market struct {
	mu     sync.Mutex
	quotes map[string]Quote

	quit, gone chan struct{}
	stop       sync.Once
}

// openMarket starts to trade.
func openMarket(seed uint64) *market {
	m := &market{quotes: make(map[string]Quote, len(opening)), quit: make(chan struct{}), gone: make(chan struct{})}
	for _, q := range opening {
		m.quotes[q.Name] = q
	}
	go m.trade(rand.New(rand.NewPCG(seed, 0x6d61726b6574)))
	return m
}

func (m *market) trade(dice *rand.Rand) {
	defer close(m.gone)
	ticks := time.NewTicker(pulse)
	defer ticks.Stop()
	for {
		select {
		case <-m.quit:
			return
		case <-ticks.C:
			m.move(opening[dice.IntN(len(opening))].Name, dice.Float64())
		}
	}
}

// move changes a price by up to half a per cent; chance is 0 to 1.
func (m *market) move(name string, chance float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	q := m.quotes[name]
	step := int(float64(q.Cents) * 0.01 * (chance - 0.5))
	if step == 0 {
		step = 1
	}
	q.Cents += step
	q.Move++
	m.quotes[name] = q
}

// quote is what an instrument costs now.
func (m *market) quote(name string) (Quote, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	q, ok := m.quotes[name]
	return q, ok
}

// close ends trading: from now on every price stays what it is.
func (m *market) close() {
	m.stop.Do(func() { close(m.quit) })
	<-m.gone
}
