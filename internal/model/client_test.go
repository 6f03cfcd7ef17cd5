package model

import "testing"

func TestSplitClientID(t *testing.T) {
	for _, c := range []struct{ name, id, ip, pid string }{
		{"Java up to 4.8", "10.0.0.7@4711", "10.0.0.7", "4711"},
		{"Java from 4.9", "10.0.0.7@4711#782341663598", "10.0.0.7", "4711"},
		{"instance name", "10.0.0.7@worker-1", "10.0.0.7", "worker-1"},
		{"broadcasting", "10.0.0.7@DEFAULT", "10.0.0.7", "DEFAULT"},
		{"unit", "10.0.0.7@4711#78@unit1", "10.0.0.7", "4711"},
		{"unit without nanotime", "10.0.0.7@4711@unit1", "10.0.0.7", "4711"},
		{"stream", "10.0.0.7@15898#782341663598@STREAM", "10.0.0.7", "15898"},
		{"gRPC", "host-1@4711@0@k2x9", "host-1", "4711"},
		{"IPv6", "fe80::1%eth0@4711#1", "fe80::1%eth0", "4711"},
		{"no at sign", "something", "something", ""},
		{"empty", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if ip, pid := SplitClientID(c.id); ip != c.ip || pid != c.pid {
				t.Errorf("SplitClientID(%q) = %q, %q; want %q, %q", c.id, ip, pid, c.ip, c.pid)
			}
		})
	}
}
