package mysqld

// State is what a server process is doing.
type State string

// The states of a server.
const (
	Preparing State = "preparing" // the data directory is being made
	Stopped   State = "stopped"   // no process
	Starting  State = "starting"  // a process that doesn't answer yet
	Running   State = "running"
	Frozen    State = "frozen" // stopped by SIGSTOP
)

// Status is the answer of the server's control calls.
type Status struct {
	State State `json:"state"`
	PID   int   `json:"pid,omitempty"`
	// HostFrozen: the freeze stands for a frozen host, which no reboot reaches.
	HostFrozen bool `json:"host_frozen,omitempty"`
	// RebootPending: the server was rebooted while its host was frozen; it is
	// cut off and will be restarted by Thaw.
	RebootPending bool `json:"reboot_pending,omitempty"`
	// Error is why the last start failed, if it did.
	Error string `json:"error,omitempty"`
	// At is the container's clock (see package clock) when the call had taken effect.
	At int64 `json:"at"`
}

// Statements is the body of an exec or query call: run in order on one
// connection, as root through the server's own socket, which no network fault reaches.
type Statements struct {
	SQL []string `json:"sql"`
}

// Rows is the answer of a query call: the result of the last statement. NULL is nil.
type Rows struct {
	Columns []string    `json:"columns"`
	Rows    [][]*string `json:"rows"`
}
