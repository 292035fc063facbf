package failover

// ExecutionID is what names an execution.
var ExecutionID = executionID
