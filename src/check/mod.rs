pub mod kinds;
pub mod schema;
