package failover

// ExecutionID is what names an execution.
var ExecutionID = executionID

// Page is the message about the question that an execution asks.
func (x Execution) Page(trigger string) Message {
	return x.message(Notice{What: NoticeQuestion, Question: x.Question.ID}, trigger)
}
