"""Problems whose loss is a mean over rows of data: least squares, ridge, logistic and softmax regression."""
