package tf

import "time"

// Event is one step of a run, as terraform's JSON stream or the [Deployment] tells
// it. The set is closed: switch over the types of this file. No event carries the
// value of an output, a variable or an attribute, so printing one leaks nothing.
type Event interface{ event() }

// Op is what is done with a unit.
type Op string

// The operations.
const (
	OpInit    Op = "init"
	OpPlan    Op = "plan"
	OpApply   Op = "apply"
	OpDestroy Op = "destroy"
	OpOutputs Op = "outputs"
	OpMigrate Op = "migrate state"
)

// Action is what terraform does with a resource: "create", "read", "update",
// "replace", "delete", "import", "move", "remove" (forget), "noop". Later
// terraforms may add words.
type Action string

// Resource says which resource an event is about.
type Resource struct {
	Address string // such as "module.database.aws_rds_cluster.this"
	Module  string // such as "module.database"; "" in the root
	Type    string // such as "aws_rds_cluster"
}

type (
	// UnitStarted says that an operation on a unit begins.
	UnitStarted struct{ Op Op }

	// UnitFinished says that an operation on a unit has ended. Err is nil when it
	// went well.
	UnitFinished struct {
		Op      Op
		Elapsed time.Duration
		Err     error
	}

	// UnitWaits says that a unit can't be planned yet, because units that it needs
	// have no outputs.
	UnitWaits struct{ For []string }

	// Version is the stream's first line.
	Version struct {
		Flavour Flavour
		Version string // of the binary, such as "1.11.4"
		UI      string // of the stream's format, such as "1.2"
	}

	// Log is free text of terraform, such as "Interrupt received".
	Log struct{ Level, Message string }

	// Drifted says that a resource is not as terraform left it. After a failover
	// this is how a plan says that the writer has moved.
	Drifted struct {
		Resource
		Action Action
	}

	// Planned is one row of the plan. `apply` tells its rows again.
	Planned struct {
		Resource
		Action   Action
		Reason   string // why a resource is replaced or deleted, such as "tainted"; may be empty
		Previous string // its former address, when it has moved
	}

	// Refreshing says that a resource is read.
	Refreshing struct{ Resource }

	// Refreshed says that a resource has been read.
	Refreshed struct{ Resource }

	// Applying says that work on a resource begins.
	Applying struct {
		Resource
		Action Action
	}

	// Progress says, about every 10 s, that work on a resource goes on.
	Progress struct {
		Resource
		Action  Action
		Elapsed time.Duration // whole seconds
	}

	// Applied says that a resource is done.
	Applied struct {
		Resource
		Action  Action
		ID      string // the provider's id of it; may be empty
		Elapsed time.Duration
	}

	// Failed says that work on a resource has failed. The cause comes in a
	// Diagnostic.
	Failed struct {
		Resource
		Action  Action
		Elapsed time.Duration
	}

	// Diagnostic is an error or a warning.
	Diagnostic struct {
		Severity string // "error" or "warning"
		Summary  string
		Detail   string
		Address  string // of the resource; may be empty
		File     string // where in the configuration; may be empty
		Line     int    // from 1; 0 when File is empty
	}

	// Summary is the total of a plan, an apply or a destroy. After an apply it is
	// told when the state is written and the lock given back.
	Summary struct {
		Operation                   string // "plan", "apply" or "destroy"
		Add, Change, Import, Remove int
	}

	// OutputsKnown names the outputs, never their values.
	OutputsKnown struct {
		Names     []string // sorted
		Sensitive []string // those of Names that are sensitive
	}

	// StateDumped says that terraform could not write its state anywhere and has
	// put it on the stream. The Deployment keeps it in the unit's .lifeboat folder.
	StateDumped struct{ Bytes int }
)

func (UnitStarted) event()  {}
func (UnitFinished) event() {}
func (UnitWaits) event()    {}
func (Version) event()      {}
func (Log) event()          {}
func (Drifted) event()      {}
func (Planned) event()      {}
func (Refreshing) event()   {}
func (Refreshed) event()    {}
func (Applying) event()     {}
func (Progress) event()     {}
func (Applied) event()      {}
func (Failed) event()       {}
func (Diagnostic) event()   {}
func (Summary) event()      {}
func (OutputsKnown) event() {}
func (StateDumped) event()  {}
