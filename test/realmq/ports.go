package realmq

import (
	"errors"
	"fmt"
	"syscall"
)

// portReservation keeps TCP ports of loopback for one server, also while that
// server is down: nobody else gets them from the kernel, neither to listen on
// nor as the local port of a connection, so a broker can come back on its port.
//
// The sockets are bound but never listen, and have SO_REUSEADDR set, as have
// the listening sockets of RocketMQ (NettyRemotingServer, HAService): such
// sockets may share a port as long as one of them listens at most.
type portReservation struct {
	port    int
	sockets []int
}

// reserveBrokerPorts reserves a port of the kernel's choice along with the two
// that a broker derives from it: port-2 for the "VIP" listener and port+1 for
// replication (BrokerController, BrokerStartup).
func reserveBrokerPorts() (*portReservation, error) { return reservePorts(-2, +1) }

// reserveNameServerPort reserves one port of the kernel's choice.
func reserveNameServerPort() (*portReservation, error) { return reservePorts() }

func reservePorts(neighbours ...int) (*portReservation, error) {
	const attempts = 100
	var lastErr error
	for range attempts {
		r := &portReservation{}
		port, err := r.bind(0)
		if err != nil {
			return nil, fmt.Errorf("reserve a port: %w", err)
		}
		r.port = port
		for _, offset := range neighbours {
			if _, err = r.bind(port + offset); err != nil {
				break
			}
		}
		if err == nil {
			return r, nil
		}
		lastErr = errors.Join(fmt.Errorf("reserve the neighbours of port %d: %w", port, err), r.release())
	}
	return nil, lastErr
}

func (r *portReservation) bind(port int) (int, error) {
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return 0, err
	}
	r.sockets = append(r.sockets, fd)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, err
	}
	// Only now: with the option set before, bind would also succeed on a port
	// that another test process has reserved.
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return 0, err
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, err
	}
	address, ok := bound.(*syscall.SockaddrInet4)
	if !ok {
		return 0, fmt.Errorf("bound to %T", bound)
	}
	return address.Port, nil
}

func (r *portReservation) release() error {
	var errs []error
	for _, fd := range r.sockets {
		errs = append(errs, syscall.Close(fd))
	}
	r.sockets = nil
	return errors.Join(errs...)
}
