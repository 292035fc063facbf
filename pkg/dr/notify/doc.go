// Package notify tells people through an SNS topic of the local Region.
package notify
