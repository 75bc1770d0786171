pub mod backup;
pub mod capability;
pub mod catalog;
pub mod environment;
pub mod order;
pub mod release;
pub mod uses;
pub mod view;
